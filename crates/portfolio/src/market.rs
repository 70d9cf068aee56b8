//! What the market says about assets: prices carried forward, splits, dividends and exchange rates.
//! It knows nothing of portfolios. Prices are as traded; a series adjusted for splits cannot value a ledger.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use compact_str::CompactString;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::carried::Carried;
use crate::decimal::{Decimal, OutOfRange};
use crate::fx::RateTable;
use crate::grouping::Groupings;
use crate::index::Index;
use crate::money::Currency;

/// What an asset can be.
pub const CLASSES: [&str; 10] = [
    "equity",
    "etf",
    "fund",
    "bond",
    "crypto",
    "fx",
    "commodity",
    "index",
    "cash",
    "other",
];

/// An index into [`Market::assets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetIx(pub usize);

/// One tradable thing with its whole history, held once for all portfolios.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The row in the store; any distinct number elsewhere.
    pub id: i64,
    /// The ticker, upper case.
    pub symbol: String,
    /// The currency of price and dividends.
    pub currency: Currency,
    /// Class for allocation, such as `equity`.
    pub class: String,
    /// Sector for allocation.
    pub sector: Option<String>,
    /// Country for allocation.
    pub country: Option<String>,
    /// Closing prices as traded.
    pub closes: Carried<Decimal>,
    /// Splits and dividends.
    pub actions: Vec<Action>,
}

/// What a company did to every holder on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The first day without the right.
    pub ex_date: Date,
    /// Which action.
    pub kind: ActionKind,
    /// New shares per old one, or cash per share as traded.
    pub value: Decimal,
    /// The currency of a dividend; none means the asset's.
    pub currency: Option<Currency>,
}

/// The kinds of [`Action`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// `value` new shares for one.
    Split,
    /// `value` in cash per share.
    Dividend,
}

/// A price as an exact fraction: a close carried across a split is divided, but not rounded before the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The day it was made.
    #[serde(with = "crate::packed::day")]
    pub date: Date,
    /// The numerator.
    pub close: Decimal,
    /// The product of the ratios passed since.
    pub divisor: Decimal,
}

impl Price {
    /// A price that nothing divides.
    pub fn plain(date: Date, close: Decimal) -> Price {
        Price {
            date,
            close,
            divisor: Decimal::ONE,
        }
    }

    /// `quantity * price`, rounded once to money.
    pub fn value(&self, quantity: Decimal) -> Result<Decimal, OutOfRange> {
        quantity.mul_div(self.close, self.divisor, crate::decimal::MONEY)
    }

    /// The price in plain notation; up to 60 significant digits after a split.
    pub fn text(&self) -> CompactString {
        self.close.quotient_text(self.divisor)
    }
}

impl Asset {
    /// The price that holds on `date`; `None` before the first one.
    pub fn price(&self, date: Date) -> Option<Price> {
        let (made, close) = self.closes.at(date)?;
        let mut price = Price::plain(made, *close);
        if made == date {
            return Some(price);
        }
        for action in &self.actions {
            if action.kind == ActionKind::Split && made < action.ex_date && action.ex_date <= date {
                price.divisor = price.divisor.mul(action.value, crate::decimal::RATE).ok()?;
            }
        }
        Some(price)
    }
}

/// The prices of a day, by asset.
#[derive(Debug)]
struct Prices {
    whole: Vec<Option<Price>>,
    /// The closes that nothing divides, as [`Decimal::count`]: so small that those of all assets on all opening days stay near
    /// the processor. Zero where a price is not of this kind, or is nothing.
    closes: Vec<i64>,
}

impl Prices {
    fn of(assets: &[Asset], date: Date) -> Prices {
        let whole: Vec<Option<Price>> = assets.iter().map(|asset| asset.price(date)).collect();
        let plain = |price: &Option<Price>| {
            let price = price.filter(|price| price.divisor == Decimal::ONE)?;
            price.close.count()
        };
        Prices {
            closes: whole
                .iter()
                .map(|price| plain(price).unwrap_or_default())
                .collect(),
            whole,
        }
    }
}

/// All assets and rates a computation may need.
#[derive(Debug, Default)]
pub struct Market {
    assets: Vec<Asset>,
    /// By asset; apart from them, because valuing asks for nothing else of an asset.
    currencies: Vec<Currency>,
    /// By asset; apart from them, because figures ask for nothing else of an asset.
    symbols: Vec<CompactString>,
    by_symbol: HashMap<String, AssetIx>,
    rates: RateTable,
    groupings: OnceLock<Groupings>,
    /// By asset, where they were asked for.
    indices: Vec<OnceLock<Index>>,
    /// The prices of days on which many portfolios are valued.
    days: RwLock<HashMap<Date, Arc<Prices>>>,
}

/// The prices of a day.
#[derive(Debug)]
pub(crate) struct DayPrices<'m> {
    market: &'m Market,
    date: Date,
    /// Nothing for a day that is not kept.
    kept: Option<Arc<Prices>>,
}

impl DayPrices<'_> {
    /// The price of an asset that holds on this day.
    pub(crate) fn of(&self, asset: AssetIx) -> Option<Price> {
        match &self.kept {
            Some(prices) => prices.whole[asset.0],
            None => self.market.asset(asset).price(self.date),
        }
    }

    /// What some units of an asset are worth at the price that holds on this day, rounded once to money; `None` without one.
    pub(crate) fn value(
        &self,
        asset: AssetIx,
        units: Decimal,
    ) -> Option<Result<Decimal, OutOfRange>> {
        let close = self
            .kept
            .as_ref()
            .map_or(0, |prices| prices.closes[asset.0]);
        let price = match close {
            0 => self.of(asset)?,
            close => Price::plain(self.date, Decimal::of_count(close)),
        };
        Some(price.value(units))
    }
}

impl Market {
    /// Of two assets with one symbol the first is found by [`Market::find`].
    pub fn new(assets: Vec<Asset>, rates: RateTable) -> Market {
        let mut by_symbol = HashMap::with_capacity(assets.len());
        for (index, asset) in assets.iter().enumerate() {
            by_symbol
                .entry(asset.symbol.clone())
                .or_insert(AssetIx(index));
        }
        Market {
            indices: assets.iter().map(|_| OnceLock::new()).collect(),
            currencies: assets.iter().map(|asset| asset.currency).collect(),
            symbols: assets.iter().map(|asset| (&*asset.symbol).into()).collect(),
            groupings: OnceLock::new(),
            assets,
            by_symbol,
            rates,
            days: RwLock::default(),
        }
    }

    /// The prices of a day; those of a day that is kept have been found already.
    pub(crate) fn day(&self, date: Date) -> DayPrices<'_> {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        DayPrices {
            market: self,
            date,
            kept: days.get(&date).map(Arc::clone),
        }
    }

    /// Finds the prices of days and keeps them.
    pub(crate) fn keep_days(&self, dates: impl Iterator<Item = Date>) {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<Date> = dates.filter(|date| !days.contains_key(date)).collect();
        drop(days);
        if new.is_empty() {
            return;
        }
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        for date in new {
            let find = || Arc::new(Prices::of(&self.assets, date));
            days.entry(date).or_insert_with(find);
        }
    }

    /// One asset.
    pub fn asset(&self, index: AssetIx) -> &Asset {
        &self.assets[index.0]
    }

    /// The ticker of an asset.
    pub(crate) fn symbol(&self, index: AssetIx) -> CompactString {
        self.symbols[index.0].clone()
    }

    /// The currency of an asset.
    pub(crate) fn currency(&self, index: AssetIx) -> Currency {
        self.currencies[index.0]
    }

    /// Every asset, in index order.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// Which group of each kind an asset is in.
    pub(crate) fn groupings(&self) -> &Groupings {
        self.groupings.get_or_init(|| Groupings::of(&self.assets))
    }

    /// The asset with this ticker.
    pub fn find(&self, symbol: &str) -> Option<AssetIx> {
        self.by_symbol.get(symbol).copied()
    }

    /// An asset as a benchmark.
    pub fn benchmark(&self, asset: AssetIx) -> &Index {
        let levels = || self.asset(asset).closes.map(|close| close.to_f64());
        self.indices[asset.0].get_or_init(|| Index::new(levels()))
    }

    /// Exchange rates.
    pub fn rates(&self) -> &RateTable {
        &self.rates
    }
}

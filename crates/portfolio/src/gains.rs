//! Where the profit of a period came from: prices, dividends and currencies, in total and for each holding. Exact.
//!
//! On every day of the series what was held the day before gains by its currency `value * (rate - rate before)`; the
//! rest of an asset's profit that is not a dividend is its price's, the costs of trades included. So the parts of
//! periods that follow each other add up, and all parts together are the change in value less the external flows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::market::AssetIx;
use crate::series::{Walk, Window};

/// The profit of one holding, or of all, in base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Made by prices, less the fees and taxes of trades.
    pub price: Decimal,
    /// Dividends, less the tax withheld from them.
    pub dividends: Decimal,
    /// Made by exchange rates.
    pub currency: Decimal,
    /// All three.
    pub total: Decimal,
}

/// The profit that no holding made, in base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashSplit {
    /// Interest, and dividends that name no asset.
    pub interest: Decimal,
    /// Fees outside trades.
    pub fees: Decimal,
    /// Taxes outside trades and dividends.
    pub taxes: Decimal,
    /// Made by exchange rates on cash.
    pub currency: Decimal,
    /// Interest and currencies less fees and taxes.
    pub total: Decimal,
}

/// A period's profit by source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gains {
    /// All holdings.
    pub holdings: Split,
    /// What remains.
    pub cash: CashSplit,
    /// Both: the change in net asset value less external flows.
    pub total: Decimal,
    /// Each holding, by symbol.
    pub by_holding: BTreeMap<String, Split>,
}

impl Gains {
    /// The profit of one window of a walk.
    pub fn of(walk: &Walk<'_>, window: &Window) -> Gains {
        let mut parts: BTreeMap<AssetIx, Split> = BTreeMap::new();
        for day in &window.days {
            for (asset, profit) in &day.profits {
                parts.entry(*asset).or_default().total += *profit;
            }
            for (asset, gain) in &day.currency_gains {
                parts.entry(*asset).or_default().currency += *gain;
            }
        }
        for item in &walk.ledger.income()[window.mark.income..] {
            if let Some(asset) = item.asset {
                parts.entry(asset).or_default().dividends += item.amount_base - item.tax_base;
            }
        }
        let mut gains = Gains {
            total: total(walk, window),
            ..Gains::default()
        };
        for (asset, mut split) in parts {
            split.price = split.total - split.dividends - split.currency;
            gains.holdings.add(&split);
            let symbol = walk.ledger.market().asset(asset).symbol.clone();
            gains.by_holding.entry(symbol).or_default().add(&split);
        }
        gains.cash = CashSplit::of(walk, window, gains.total - gains.holdings.total);
        gains
    }
}

impl Split {
    fn add(&mut self, other: &Split) {
        self.price += other.price;
        self.dividends += other.dividends;
        self.currency += other.currency;
        self.total += other.total;
    }
}

impl CashSplit {
    /// Everything but currencies is known from the ledger; they are what it leaves of `total`.
    fn of(walk: &Walk<'_>, window: &Window, total: Decimal) -> CashSplit {
        let (start, end) = (window.mark.totals, walk.ledger.totals());
        let mut split = CashSplit {
            interest: end.interest - start.interest,
            fees: end.fees - start.fees,
            taxes: end.taxes - start.taxes,
            total,
            ..CashSplit::default()
        };
        for item in &walk.ledger.income()[window.mark.income..] {
            match item.asset {
                Some(_) => split.taxes -= item.tax_base,
                None => split.interest += item.amount_base,
            }
        }
        split.currency = total - split.interest + split.fees + split.taxes;
        split
    }
}

/// The change in net asset value less external flows.
fn total(walk: &Walk<'_>, window: &Window) -> Decimal {
    let flows = &walk.ledger.flows()[window.mark.flows..];
    let net: Decimal = flows.iter().map(|flow| flow.inflow - flow.outflow).sum();
    walk.closing.nav - window.opening - net
}

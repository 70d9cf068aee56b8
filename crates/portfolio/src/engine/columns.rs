//! Prices and rates of a grid of days, one contiguous column each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calendar::Calendar;
use jiff::civil::Date;

use crate::dates::plus_days;
use crate::market::{ActionKind, Asset, AssetIx, Market};
use crate::money::Currency;

/// Days of the grid before the first price, for ledgers that begin with cash.
const LEAD: i64 = 31;

/// What every asset of a market was worth on each day of a grid, carried forward (NaN before the first price), with the
/// rates into one base currency.
#[derive(Debug)]
pub struct Columns {
    grid: Arc<Grid>,
    rates: BTreeMap<Currency, Vec<f64>>,
}

/// Days, and the prices of all assets on them.
#[derive(Debug)]
struct Grid {
    dates: Vec<Date>,
    closes: Vec<f64>,
}

impl Columns {
    /// The sessions of a calendar up to `to`, which is on the grid itself.
    pub fn build(market: &Market, calendar: &Calendar, to: Date, base: Currency) -> Columns {
        let dates = grid(market, calendar, to);
        let mut closes = Vec::with_capacity(dates.len() * market.assets().len());
        for asset in market.assets() {
            push_closes(&mut closes, asset, &dates);
        }
        Columns {
            rates: rates(market, base, &dates),
            grid: Arc::new(Grid { dates, closes }),
        }
    }

    /// The same days and prices, with the rates into another currency.
    pub(crate) fn in_base(&self, market: &Market, base: Currency) -> Columns {
        Columns {
            rates: rates(market, base, &self.grid.dates),
            grid: Arc::clone(&self.grid),
        }
    }

    /// The days, in order; never empty.
    pub fn dates(&self) -> &[Date] {
        &self.grid.dates
    }

    /// The first day of the grid on or after `date`.
    pub(super) fn day(&self, date: Date) -> usize {
        self.grid.dates.partition_point(|day| *day < date)
    }

    /// Prices in the asset's currency.
    pub(super) fn closes(&self, asset: AssetIx) -> &[f64] {
        let days = self.grid.dates.len();
        &self.grid.closes[asset.0 * days..][..days]
    }

    /// Rates into the base currency; `None` for that currency itself.
    pub(super) fn rates(&self, currency: Currency) -> Option<&[f64]> {
        self.rates.get(&currency).map(Vec::as_slice)
    }
}

/// A column for each currency of an asset or of the table, but the base itself.
fn rates(market: &Market, base: Currency, dates: &[Date]) -> BTreeMap<Currency, Vec<f64>> {
    let of_assets = market.assets().iter().map(|asset| asset.currency);
    let currencies: BTreeSet<Currency> = of_assets.chain(market.rates().currencies()).collect();
    let column = |currency: Currency| {
        let rate = |day: &Date| market.rates().rate(currency, base, *day);
        let rates = dates
            .iter()
            .map(|day| rate(day).map_or(f64::NAN, |rate| rate.to_f64()));
        (currency, rates.collect())
    };
    currencies
        .into_iter()
        .filter(|currency| *currency != base)
        .map(column)
        .collect()
}

fn grid(market: &Market, calendar: &Calendar, to: Date) -> Vec<Date> {
    let firsts = market
        .assets()
        .iter()
        .filter_map(|asset| asset.closes.iter().next());
    let first = firsts.map(|(date, _)| date).min().unwrap_or(to).min(to);
    let mut dates = calendar.sessions(plus_days(first, -LEAD), to);
    if dates.last() != Some(&to) {
        dates.push(to);
    }
    dates
}

fn push_closes(column: &mut Vec<f64>, asset: &Asset, dates: &[Date]) {
    let splits = asset
        .actions
        .iter()
        .any(|action| action.kind == ActionKind::Split);
    let mut closes = asset.closes.iter().peekable();
    let mut last = f64::NAN;
    for day in dates {
        let mut made = None;
        while let Some((date, close)) = closes.next_if(|(date, _)| date <= day) {
            made = Some(date);
            last = close.to_f64();
        }
        let carried_over_split = splits && made != Some(*day);
        let price = carried_over_split.then(|| asset.price(*day)).flatten();
        column.push(price.map_or(last, |price| price.close.to_f64() / price.divisor.to_f64()));
    }
}

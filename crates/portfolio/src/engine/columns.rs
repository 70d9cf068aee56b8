//! Prices and rates of a grid of days, one contiguous column each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use calendar::Calendar;
use jiff::civil::Date;

use crate::dates::plus_days;
use crate::market::{ActionKind, Asset, AssetIx, Market};
use crate::money::Currency;

/// Days of the grid before the first price, for ledgers that begin with cash.
const LEAD: i64 = 31;
/// Days of the grid whose prices are enough where the values of earlier days are kept.
const LAST: usize = 64;

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
    /// The first day with prices.
    first: usize,
    closes: Vec<f64>,
}

/// A value for each day of the grid from one on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'c> {
    first: usize,
    values: &'c [f64],
}

impl<'c> Column<'c> {
    pub(super) fn at(&self, day: usize) -> f64 {
        self.values[day - self.first]
    }

    pub(super) fn on(&self, days: &Range<usize>) -> &'c [f64] {
        &self.values[days.start - self.first..days.end - self.first]
    }
}

impl Columns {
    /// The sessions of a calendar up to `to`, which is on the grid itself.
    pub fn build(market: &Market, calendar: &Calendar, to: Date, base: Currency) -> Columns {
        Columns::of(market, grid(market, calendar, to), 0, base)
    }

    /// The same days, with prices on the last of them only: for portfolios whose values of earlier days are kept.
    pub(crate) fn of_last_days(
        market: &Market,
        calendar: &Calendar,
        to: Date,
        base: Currency,
    ) -> Columns {
        let dates = grid(market, calendar, to);
        let first = dates.len().saturating_sub(LAST);
        Columns::of(market, dates, first, base)
    }

    fn of(market: &Market, dates: Vec<Date>, first: usize, base: Currency) -> Columns {
        let days = &dates[first..];
        let mut closes = Vec::with_capacity(days.len() * market.assets().len());
        for asset in market.assets() {
            push_closes(&mut closes, asset, days);
        }
        Columns {
            rates: rates(market, base, &dates),
            grid: Arc::new(Grid {
                dates,
                first,
                closes,
            }),
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

    /// The first day with prices.
    pub(super) fn first(&self) -> usize {
        self.grid.first
    }

    /// Prices in the asset's currency.
    pub(super) fn closes(&self, asset: AssetIx) -> Column<'_> {
        let days = self.grid.dates.len() - self.grid.first;
        Column {
            first: self.grid.first,
            values: &self.grid.closes[asset.0 * days..][..days],
        }
    }

    /// Rates into the base currency; `None` for that currency itself.
    pub(super) fn rates(&self, currency: Currency) -> Option<Column<'_>> {
        let values = self.rates.get(&currency)?;
        Some(Column { first: 0, values })
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
    let mut closes = asset.closes.since(dates[0]).peekable();
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

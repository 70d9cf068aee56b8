//! Prices and rates of a grid of days, one contiguous column each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use calendar::Calendar;
use jiff::civil::Date;

use super::column::Column;
use crate::dates::plus_days;
use crate::market::{ActionKind, Asset, AssetIx, Market};
use crate::money::Currency;

/// Days of the grid before the first price, for ledgers that begin with cash.
const LEAD: i64 = 31;
/// Days of the grid whose prices are enough where the values of earlier days are kept.
const LAST: usize = 64;

/// What every asset of a market was worth on each day of a grid, carried forward, also in one base currency.
#[derive(Debug)]
pub struct Columns {
    grid: Arc<Grid>,
    rates: BTreeMap<Currency, Column>,
    /// By asset, in base currency, for those in others; made when they are asked for.
    in_base: Vec<OnceLock<Column>>,
}

/// Days, and the prices of all assets on them.
#[derive(Debug)]
struct Grid {
    dates: Vec<Date>,
    /// The first day with prices.
    first: usize,
    /// By asset, in its currency.
    closes: Vec<Column>,
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
        let mut values = Vec::with_capacity(dates.len() - first);
        let closes = market.assets().iter().map(|asset| {
            values.clear();
            push_closes(&mut values, asset, &dates[first..]);
            Column::new(first, &values)
        });
        let closes = closes.collect();
        let grid = Grid {
            dates,
            first,
            closes,
        };
        Columns::on(Arc::new(grid), market, base)
    }

    fn on(grid: Arc<Grid>, market: &Market, base: Currency) -> Columns {
        Columns {
            rates: rates(market, base, &grid.dates),
            in_base: market.assets().iter().map(|_| OnceLock::new()).collect(),
            grid,
        }
    }

    /// The same days and prices, with the rates into another currency.
    pub(crate) fn in_base(&self, market: &Market, base: Currency) -> Columns {
        Columns::on(Arc::clone(&self.grid), market, base)
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

    /// Prices of an asset, whose currency this is, in base currency.
    pub(super) fn closes(&self, asset: AssetIx, currency: Currency) -> &Column {
        let closes = &self.grid.closes[asset.0];
        match self.rates(currency) {
            Some(rates) => self.in_base[asset.0].get_or_init(|| closes.times(rates)),
            None => closes,
        }
    }

    /// Rates into the base currency; `None` for that currency itself.
    pub(super) fn rates(&self, currency: Currency) -> Option<&Column> {
        self.rates.get(&currency)
    }
}

/// A column for each currency of an asset or of the table, but the base itself.
fn rates(market: &Market, base: Currency, dates: &[Date]) -> BTreeMap<Currency, Column> {
    let of_assets = market.assets().iter().map(|asset| asset.currency);
    let currencies: BTreeSet<Currency> = of_assets.chain(market.rates().currencies()).collect();
    let column = |currency: Currency| {
        let rate = |day: &Date| market.rates().rate(currency, base, *day);
        let rates = dates
            .iter()
            .map(|day| rate(day).map_or(f64::NAN, |rate| rate.to_f64()));
        let rates: Vec<f64> = rates.collect();
        (currency, Column::new(0, &rates))
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

fn push_closes(values: &mut Vec<f64>, asset: &Asset, dates: &[Date]) {
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
        values.push(price.map_or(last, |price| price.close.to_f64() / price.divisor.to_f64()));
    }
}

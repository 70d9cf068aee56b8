//! Prices and rates of a grid of days, one contiguous column each.

use std::collections::BTreeMap;

use calendar::Calendar;
use jiff::civil::Date;

use crate::dates::plus_days;
use crate::market::{ActionKind, Asset, AssetIx, Market};
use crate::money::Currency;

/// Days of the grid before the first price, for ledgers that begin with cash.
const LEAD: i64 = 31;

/// What every asset of a market was worth on each day of a grid, carried forward; NaN before the first price.
#[derive(Debug)]
pub struct Columns {
    dates: Vec<Date>,
    closes: Vec<f64>,
    /// The rate of a currency into another, for those pairs that were asked for.
    rates: BTreeMap<(Currency, Currency), Vec<f64>>,
}

impl Columns {
    /// The sessions of a calendar up to `to`, which is on the grid itself, in some base currencies.
    pub fn build(
        market: &Market,
        calendar: &Calendar,
        to: Date,
        bases: impl IntoIterator<Item = Currency>,
    ) -> Columns {
        let dates = grid(market, calendar, to);
        let mut closes = Vec::with_capacity(dates.len() * market.assets().len());
        for asset in market.assets() {
            push_closes(&mut closes, asset, &dates);
        }
        let mut columns = Columns {
            dates,
            closes,
            rates: BTreeMap::new(),
        };
        for base in bases {
            columns.add_rates(market, base);
        }
        columns
    }

    /// The days, in order; never empty.
    pub fn dates(&self) -> &[Date] {
        &self.dates
    }

    /// The first day of the grid on or after `date`.
    pub(super) fn day(&self, date: Date) -> usize {
        self.dates.partition_point(|day| *day < date)
    }

    /// Prices in the asset's currency.
    pub(super) fn closes(&self, asset: AssetIx) -> &[f64] {
        let days = self.dates.len();
        &self.closes[asset.0 * days..][..days]
    }

    /// Rates from one currency into another; `None` for a currency into itself.
    pub(super) fn rates(&self, from: Currency, base: Currency) -> Option<&[f64]> {
        self.rates.get(&(from, base)).map(Vec::as_slice)
    }

    fn add_rates(&mut self, market: &Market, base: Currency) {
        let of_assets = market.assets().iter().map(|asset| asset.currency);
        for currency in of_assets.chain(market.rates().currencies()) {
            if currency != base && !self.rates.contains_key(&(currency, base)) {
                let rate = |day: &Date| market.rates().rate(currency, base, *day);
                let column = self
                    .dates
                    .iter()
                    .map(|day| rate(day).map_or(f64::NAN, |rate| rate.to_f64()));
                self.rates.insert((currency, base), column.collect());
            }
        }
    }
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

//! Returns by calendar month and year.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{ReturnSeries, compound};

/// Compounded returns by month, such as `2010-03`.
pub fn monthly(series: ReturnSeries<'_>) -> BTreeMap<String, f64> {
    by(
        series,
        |date| (date.year(), date.month()),
        |(year, month)| format!("{year:04}-{month:02}"),
    )
}

/// Compounded returns by year.
pub fn yearly(series: ReturnSeries<'_>) -> BTreeMap<String, f64> {
    by(series, Date::year, |year| format!("{year:04}"))
}

fn by<K: PartialEq>(
    series: ReturnSeries<'_>,
    key: impl Fn(Date) -> K,
    name: impl Fn(K) -> String,
) -> BTreeMap<String, f64> {
    let mut start = 0;
    let runs = series.dates.chunk_by(|a, b| key(*a) == key(*b));
    let compounded = runs.map(|days| {
        let returns = &series.returns[start..start + days.len()];
        start += days.len();
        (name(key(days[0])), compound(returns))
    });
    compounded.collect()
}

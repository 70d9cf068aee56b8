//! Returns by calendar month and year.

use std::collections::BTreeMap;

use super::{ReturnSeries, compound};

/// Compounded returns by month, such as `2010-03`.
pub fn monthly(series: ReturnSeries<'_>) -> BTreeMap<String, f64> {
    by_prefix(series, 7)
}

/// Compounded returns by year.
pub fn yearly(series: ReturnSeries<'_>) -> BTreeMap<String, f64> {
    by_prefix(series, 4)
}

fn by_prefix(series: ReturnSeries<'_>, characters: usize) -> BTreeMap<String, f64> {
    let mut periods: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (date, value) in series.dates.iter().zip(series.returns) {
        periods
            .entry(date.to_string()[..characters].to_owned())
            .or_default()
            .push(*value);
    }
    periods
        .into_iter()
        .map(|(period, returns)| (period, compound(&returns)))
        .collect()
}

//! Returns by calendar month and year.

use compact_str::{CompactString, ToCompactString};
use jiff::civil::Date;
use litemap::LiteMap;

use super::{ReturnSeries, compound};

/// Compounded returns by month, such as `2010-03`.
pub fn monthly(series: ReturnSeries<'_>) -> LiteMap<CompactString, f64> {
    by(series, |date| (date.year(), date.month()), "-DD")
}

/// Compounded returns by year.
pub fn yearly(series: ReturnSeries<'_>) -> LiteMap<CompactString, f64> {
    by(series, Date::year, "-MM-DD")
}

/// By what days have in common; the name is their date without its `end`.
fn by<K: PartialEq>(
    series: ReturnSeries<'_>,
    key: impl Fn(Date) -> K,
    end: &str,
) -> LiteMap<CompactString, f64> {
    let mut start = 0;
    let runs = series.dates.chunk_by(|a, b| key(*a) == key(*b));
    let compounded = runs.map(|days| {
        let returns = &series.returns[start..start + days.len()];
        start += days.len();
        let mut name = days[0].to_compact_string();
        name.truncate(name.len() - end.len());
        (name, compound(returns))
    });
    compounded.collect()
}

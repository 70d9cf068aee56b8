//! Figures over a moving window of returns.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::drawdown::falls;
use super::moments::Moments;
use super::relative::beta;
use super::{Benchmark, EPSILON, ReturnSeries, Settings, compound};

/// The figures of the window that ends on a date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingPoint {
    /// The window's last day.
    pub date: Date,
    /// The compounded return of the window.
    pub total_return: f64,
    /// Annualised.
    pub volatility: Option<f64>,
    /// Annualised.
    pub sharpe: Option<f64>,
    /// The depth of the deepest fall within the window.
    pub max_drawdown: f64,
    /// Against the benchmark, on common dates.
    pub beta: Option<f64>,
}

/// One point for each day from the `window`-th return on; none for a window of zero.
pub fn rolling(
    series: ReturnSeries<'_>,
    window: usize,
    settings: Settings,
    benchmark: Option<&Benchmark<'_>>,
) -> Vec<RollingPoint> {
    let ends = window.saturating_sub(1)..series.returns.len();
    ends.filter_map(|end| rolling_point(series, end, window, settings, benchmark))
        .collect()
}

/// The point of the window that ends with the return at index `end`; `None` before the window is full, and for a
/// window of zero.
pub fn rolling_point(
    series: ReturnSeries<'_>,
    end: usize,
    window: usize,
    settings: Settings,
    benchmark: Option<&Benchmark<'_>>,
) -> Option<RollingPoint> {
    let start = (end + 1).checked_sub(window)?;
    let full = window > 0 && end < series.returns.len();
    full.then(|| point(part(series, start, window), settings, benchmark))
}

fn part(series: ReturnSeries<'_>, start: usize, window: usize) -> ReturnSeries<'_> {
    let base = if start == 0 {
        series.base
    } else {
        series.dates[start - 1]
    };
    let range = start..start + window;
    ReturnSeries {
        base,
        dates: &series.dates[range.clone()],
        returns: &series.returns[range],
    }
}

fn point(
    part: ReturnSeries<'_>,
    settings: Settings,
    benchmark: Option<&Benchmark<'_>>,
) -> RollingPoint {
    let annual = settings.periods_per_year.sqrt();
    let moments = Moments::of(part.returns);
    let deviation = moments.deviation();
    let excess = moments.mean - settings.period_risk_free();
    RollingPoint {
        date: part.dates[part.dates.len() - 1],
        total_return: compound(part.returns),
        volatility: deviation.map(|deviation| deviation * annual),
        sharpe: deviation
            .filter(|deviation| *deviation > EPSILON)
            .map(|deviation| excess / deviation * annual),
        max_drawdown: falls(part).deepest.depth,
        beta: benchmark.and_then(|benchmark| common_beta(part, benchmark)),
    }
}

fn common_beta(part: ReturnSeries<'_>, benchmark: &Benchmark<'_>) -> Option<f64> {
    beta(&benchmark.common(part))
}

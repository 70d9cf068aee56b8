//! A series against a benchmark, on the dates that both have.

use serde::{Deserialize, Serialize};

use crate::lanes::sum_of_pairs;

use super::moments::{covariance, deviation, mean};
use super::{Benchmark, EPSILON, ReturnSeries, Settings, compound};

/// Figures against a benchmark; all `None` below two common dates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Relative {
    /// Common dates.
    pub n: usize,
    /// Covariance over the benchmark's variance.
    pub beta: Option<f64>,
    /// The annualised return that beta does not explain.
    pub alpha: Option<f64>,
    /// The linear correlation.
    pub correlation: Option<f64>,
    /// Its square.
    pub r_squared: Option<f64>,
    /// The annualised deviation of the difference.
    pub tracking_error: Option<f64>,
    /// The annualised mean difference over its deviation.
    pub information_ratio: Option<f64>,
    /// The annualised compound return over days on which the benchmark rose, over the benchmark's.
    pub up_capture: Option<f64>,
    /// The same over days on which it fell.
    pub down_capture: Option<f64>,
    /// The benchmark's compounded return over the common dates.
    pub benchmark_total_return: Option<f64>,
}

/// Compares `series` with `benchmark`.
pub fn relative(series: ReturnSeries<'_>, benchmark: &Benchmark, settings: Settings) -> Relative {
    let common = benchmark.common(series);
    let (own, other) = (common.own(), common.other());
    let mut figures = Relative {
        n: own.len(),
        ..Relative::default()
    };
    if own.len() < 2 {
        return figures;
    }
    figures.benchmark_total_return = Some(compound(other));
    regression(&mut figures, own, other, settings);
    active(&mut figures, own, other, settings);
    figures.up_capture = capture(own, other, settings, |value| value > 0.0);
    figures.down_capture = capture(own, other, settings, |value| value < 0.0);
    figures
}

/// Beta alone, as rolling windows need it.
pub(super) fn beta(own: &[f64], other: &[f64]) -> Option<f64> {
    let spread = deviation(other).filter(|spread| *spread > EPSILON)?;
    Some(covariance(own, other) / (spread * spread))
}

fn regression(figures: &mut Relative, own: &[f64], other: &[f64], settings: Settings) {
    let Some(beta) = beta(own, other) else { return };
    let free = settings.period_risk_free();
    figures.beta = Some(beta);
    figures.alpha =
        Some(((mean(own) - free) - beta * (mean(other) - free)) * settings.periods_per_year);
    if let (Some(a), Some(b)) = (
        deviation(own).filter(|spread| *spread > EPSILON),
        deviation(other),
    ) {
        let correlation = covariance(own, other) / (a * b);
        figures.correlation = Some(correlation);
        figures.r_squared = Some(correlation * correlation);
    }
}

fn active(figures: &mut Relative, own: &[f64], other: &[f64], settings: Settings) {
    let count = own.len() as f64;
    let mean = sum_of_pairs(own, other, |a, b| a - b) / count;
    let off = |a: f64, b: f64| a - b - mean;
    let squares = sum_of_pairs(own, other, |a, b| off(a, b) * off(a, b));
    let error = (squares / (count - 1.0)).sqrt();
    let annual = settings.periods_per_year.sqrt();
    figures.tracking_error = Some(error * annual);
    figures.information_ratio = (error > EPSILON).then(|| mean / error * annual);
}

fn capture(
    own: &[f64],
    other: &[f64],
    settings: Settings,
    chosen: impl Fn(f64) -> bool,
) -> Option<f64> {
    let (mut wealth, mut index, mut count) = (1.0, 1.0, 0_u32);
    for (own, other) in own.iter().zip(other) {
        let takes = chosen(*other);
        wealth *= if takes { 1.0 + own } else { 1.0 };
        index *= if takes { 1.0 + other } else { 1.0 };
        count += u32::from(takes);
    }
    if count == 0 {
        return None;
    }
    let years = settings.periods_per_year / f64::from(count);
    let annual = |wealth: f64| wealth.powf(years) - 1.0;
    let (own, other) = (annual(wealth), annual(index));
    (other.abs() > EPSILON && own.is_finite() && other.is_finite()).then(|| own / other)
}

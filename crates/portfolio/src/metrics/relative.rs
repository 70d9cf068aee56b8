//! A series against a benchmark, on the dates that both have.

use serde::{Deserialize, Serialize};

use crate::lanes::products_of_pairs;

use super::benchmark::{Alone, Days};
use super::moments::{Joint, Sums};
use super::{Benchmark, EPSILON, ReturnSeries, Settings};

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
pub fn relative(
    series: ReturnSeries<'_>,
    benchmark: &Benchmark<'_>,
    settings: Settings,
) -> Relative {
    let common = benchmark.common(series);
    let (own, other) = (common.own(), common.other());
    let mut figures = Relative {
        n: own.len(),
        ..Relative::default()
    };
    if own.len() < 2 {
        return figures;
    }
    let alone = common.other_alone();
    figures.benchmark_total_return = Some(alone.total);
    let joint = Joint::of(own, other, alone.sums);
    regression(&mut figures, joint, settings);
    active(&mut figures, joint, settings);
    captures(&mut figures, own, other, alone, settings);
    figures
}

/// Beta alone, as rolling windows need it; `None` below two values.
pub(super) fn beta(own: &[f64], other: &[f64]) -> Option<f64> {
    (own.len() > 1).then(|| Joint::of(own, other, Sums::of(other)).beta())?
}

fn regression(figures: &mut Relative, joint: Joint, settings: Settings) {
    let Some(beta) = joint.beta() else { return };
    let ([own, other], free) = (joint.means, settings.period_risk_free());
    figures.beta = Some(beta);
    figures.alpha = Some(((own - free) - beta * (other - free)) * settings.periods_per_year);
    let [own, other] = joint.deviations;
    if own > EPSILON {
        let correlation = joint.covariance / (own * other);
        figures.correlation = Some(correlation);
        figures.r_squared = Some(correlation * correlation);
    }
}

fn active(figures: &mut Relative, joint: Joint, settings: Settings) {
    let ([own, other], error) = (joint.means, joint.difference);
    let annual = settings.periods_per_year.sqrt();
    figures.tracking_error = Some(error * annual);
    figures.information_ratio = (error > EPSILON).then(|| (own - other) / error * annual);
}

/// Over the days on which the benchmark rose, and over those on which it fell.
fn captures(figures: &mut Relative, own: &[f64], other: &[f64], alone: Alone, settings: Settings) {
    let [up, down] = products_of_pairs(own, other, |own, other| {
        let when = |chosen: bool| if chosen { 1.0 + own } else { 1.0 };
        [when(other > 0.0), when(other < 0.0)]
    });
    figures.up_capture = capture(up, alone.up, settings);
    figures.down_capture = capture(down, alone.down, settings);
}

/// The ratio of the wealth that some days made to the benchmark's, annualised.
fn capture(own: f64, other: Days, settings: Settings) -> Option<f64> {
    if other.count == 0 {
        return None;
    }
    let years = settings.periods_per_year / other.count as f64;
    let annual = |wealth: f64| wealth.powf(years) - 1.0;
    let (own, other) = (annual(own), annual(other.wealth));
    (other.abs() > EPSILON && own.is_finite() && other.is_finite()).then(|| own / other)
}

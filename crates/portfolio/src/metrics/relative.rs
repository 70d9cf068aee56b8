//! A series against a benchmark, on the dates that both have.

use serde::{Deserialize, Serialize};

use super::benchmark::{Alone, Common, Days};
use super::moments::{Joint, Moments, Sums};
use super::nest::Nest;
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
    let mut figures = of_common(&[(benchmark.common(series), None)], settings);
    figures.pop().expect("one for each")
}

/// Compares each list with that of its benchmark; with the moments of the former where they are known.
pub(super) fn of_common(
    common: &[(Common<'_>, Option<Moments>)],
    settings: Settings,
) -> Vec<Relative> {
    let count = |(common, _): &(Common<'_>, _)| Relative {
        n: common.own().len(),
        ..Relative::default()
    };
    let mut figures: Vec<Relative> = common.iter().map(count).collect();
    let pairs = common.iter().map(|(common, _)| match common.own().len() {
        0 | 1 => (&[][..], &[][..]),
        _ => (common.own(), common.other()),
    });
    let pairs: Vec<(&[f64], &[f64])> = pairs.collect();
    for nest in Nest::all(&pairs, |_, _| true) {
        let inside = || nest.windows().iter().map(|window| &common[window.turn]);
        let alone: Vec<Alone> = inside().map(|(common, _)| common.other_alone()).collect();
        let sums: Vec<Sums> = alone.iter().map(|alone| alone.sums).collect();
        let known: Option<Vec<Moments>> = inside().map(|(_, moments)| *moments).collect();
        let moments = known.unwrap_or_else(|| Moments::of(&nest));
        let joint = Joint::of(&nest, &moments, &sums);
        let captured = captured(&nest);
        for (turn, window) in nest.windows().iter().enumerate() {
            let figures = &mut figures[window.turn];
            figures.benchmark_total_return = Some(alone[turn].total);
            regression(figures, joint[turn], settings);
            active(figures, joint[turn], settings);
            let [up, down] = captured[turn];
            figures.up_capture = capture(up, alone[turn].up, settings);
            figures.down_capture = capture(down, alone[turn].down, settings);
        }
    }
    figures
}

/// Beta alone, as rolling windows need it; `None` below two values.
pub(super) fn beta(own: &[f64], other: &[f64]) -> Option<f64> {
    let nests = (own.len() > 1).then(|| Nest::all(&[(own, other)], |_, _| true))?;
    let nest = nests.first()?;
    let joint = Joint::of(nest, &Moments::of(nest), &[Sums::of(other)]);
    joint.first()?.beta()
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

/// What the returns of the days on which the benchmark rose make of one, and those of the days on which it fell.
fn captured(nest: &Nest<'_>) -> Vec<[f64; 2]> {
    nest.products(|own, other| {
        let when = |chosen: bool| 1.0 + if chosen { own } else { 0.0 };
        [when(other > 0.0), when(other < 0.0)]
    })
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

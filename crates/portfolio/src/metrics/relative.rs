//! A series against a benchmark, on the dates that both have.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wide::f64x4;

use super::benchmark::{Common, Days};
use super::ends::{Ends, Stretch, ends_with, whole};
use super::moments::Joint;
use super::{Benchmark, EPSILON, ReturnSeries, Settings};
use crate::lanes::products_of_pairs;

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

/// What two equally long lists come to together, and what the first makes of one over the days on which the second rises, and
/// over those on which it falls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    joint: Joint,
    pub(super) up: f64,
    pub(super) down: f64,
}

impl Compared {
    pub(super) fn of_all(own: &[f64], other: &[f64]) -> Compared {
        whole(own.len(), |part| {
            Compared::of(&own[part.clone()], &other[part])
        })
    }

    #[inline(always)]
    fn of(own: &[f64], other: &[f64]) -> Compared {
        let [up, down] = products_of_pairs(own, other, |own, other| {
            let when = |chosen: f64x4| chosen.select(own + f64x4::ONE, f64x4::ONE);
            [
                when(other.simd_gt(f64x4::ZERO)),
                when(other.simd_lt(f64x4::ZERO)),
            ]
        });
        Compared {
            joint: Joint::of_few(own, other),
            up,
            down,
        }
    }
}

impl Stretch for Compared {
    fn and(self, later: Compared) -> Compared {
        Compared {
            joint: self.joint.and(later.joint),
            up: self.up * later.up,
            down: self.down * later.down,
        }
    }
}

/// The days that a series and a benchmark have in common, and what the last ones of them come to.
#[derive(Debug)]
pub(super) struct CommonEnds<'r> {
    common: Common<'r>,
    ends: Ends<Compared>,
}

impl<'r> CommonEnds<'r> {
    pub(super) fn of(series: ReturnSeries<'r>, benchmark: &'r Benchmark<'_>) -> CommonEnds<'r> {
        let common = benchmark.common(series);
        let ends = Ends::of(common.own().len(), |part| common.compared(part));
        CommonEnds { common, ends }
    }

    /// Of days that may be the last ones of these.
    fn whole(&self, common: &Common<'_>) -> Compared {
        let compared = |part| common.compared(part);
        let known = ends_with(self.common.own(), common.own())
            && ends_with(self.common.other(), common.other());
        match known {
            true => self.ends.whole(common.own().len(), compared),
            false => Compared::of_all(common.own(), common.other()),
        }
    }
}

impl Common<'_> {
    fn compared(&self, days: Range<usize>) -> Compared {
        Compared::of(&self.own()[days.clone()], &self.other()[days])
    }
}

/// Compares `series` with `benchmark`, with what is known of the days of one that may end like it.
pub(super) fn relative(
    ends: &CommonEnds<'_>,
    series: ReturnSeries<'_>,
    benchmark: &Benchmark<'_>,
    settings: Settings,
) -> Relative {
    let common = benchmark.common(series);
    let mut figures = Relative {
        n: common.own().len(),
        ..Relative::default()
    };
    if figures.n < 2 {
        return figures;
    }
    let alone = common.other_alone();
    figures.benchmark_total_return = Some(alone.total);
    let Compared { joint, up, down } = ends.whole(&common);
    regression(&mut figures, joint, settings);
    active(&mut figures, joint, settings);
    figures.up_capture = capture(up, alone.up, settings);
    figures.down_capture = capture(down, alone.down, settings);
    figures
}

/// Beta alone, as rolling windows need it; `None` below two values.
pub(super) fn beta(common: &Common<'_>) -> Option<f64> {
    let (own, other) = (common.own(), common.other());
    (own.len() > 1).then(|| Compared::of_all(own, other).joint.beta())?
}

fn regression(figures: &mut Relative, joint: Joint, settings: Settings) {
    let Some(beta) = joint.beta() else { return };
    let ([own, other], free) = (joint.means(), settings.period_risk_free());
    figures.beta = Some(beta);
    figures.alpha = Some(((own - free) - beta * (other - free)) * settings.periods_per_year);
    let [own, other] = joint.deviations();
    if own > EPSILON {
        let correlation = joint.covariance() / (own * other);
        figures.correlation = Some(correlation);
        figures.r_squared = Some(correlation * correlation);
    }
}

fn active(figures: &mut Relative, joint: Joint, settings: Settings) {
    let ([own, other], error) = (joint.means(), joint.difference());
    let annual = settings.periods_per_year.sqrt();
    figures.tracking_error = Some(error * annual);
    figures.information_ratio = (error > EPSILON).then(|| (own - other) / error * annual);
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

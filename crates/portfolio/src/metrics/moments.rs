//! Means, deviations and the shape of a distribution.

use super::EPSILON;
use super::nest::Nest;
use crate::lanes::sum;

pub(super) fn mean(values: &[f64]) -> f64 {
    sum(values, |value| value) / values.len() as f64
}

/// The mean and the sums of the powers of what lies off it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    count: f64,
    pub(super) mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    /// Of the first lists of each window. Powers are summed of what lies off the last value, which all have in common and which is
    /// mostly near the mean, and moved to the mean of each.
    pub(super) fn of(nest: &Nest<'_>) -> Vec<Moments> {
        let (near, _) = nest.last();
        let sums = nest.sums(|value, _| {
            let off = value - near;
            let square = off * off;
            [off, square, square * off, square * square]
        });
        let counts = nest
            .windows()
            .iter()
            .map(|window| nest.count(window) as f64);
        let moved = |(count, [first, second, third, fourth]): (f64, [f64; 4])| {
            let by = first / count;
            Moments {
                count,
                mean: near + by,
                second: (second - by * first).max(0.0),
                third: third - 3.0 * by * second + 2.0 * by * by * first,
                fourth: fourth - 4.0 * by * third + 6.0 * by * by * second
                    - 3.0 * by * by * by * first,
            }
        };
        counts.zip(sums).map(moved).collect()
    }

    /// The sample deviation (n - 1); `None` below two values.
    pub(super) fn deviation(&self) -> Option<f64> {
        sample_deviation(self.second, self.count)
    }

    /// Bias-corrected skewness; `None` below three values or without spread.
    pub(super) fn skewness(&self) -> Option<f64> {
        let n = self.count;
        if n < 3.0 || self.is_flat() {
            return None;
        }
        Some(n * (n - 1.0).sqrt() / (n - 2.0) * self.third / self.second.powf(1.5))
    }

    /// Bias-corrected excess kurtosis; `None` below four values or without spread.
    pub(super) fn kurtosis(&self) -> Option<f64> {
        let n = self.count;
        if n < 4.0 || self.is_flat() {
            return None;
        }
        let ratio = self.fourth / (self.second * self.second);
        let pairs = (n - 2.0) * (n - 3.0);
        Some(n * (n + 1.0) * (n - 1.0) / pairs * ratio - 3.0 * (n - 1.0).powi(2) / pairs)
    }

    fn is_flat(&self) -> bool {
        self.deviation()
            .is_none_or(|deviation| deviation <= EPSILON)
    }
}

fn sample_deviation(squares: f64, count: f64) -> Option<f64> {
    (count > 1.0).then(|| (squares / (count - 1.0)).sqrt())
}

/// The mean of a list, and the sum of the squares of what lies off it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    mean: f64,
    squares: f64,
}

impl Sums {
    pub(super) fn of(values: &[f64]) -> Sums {
        let mean = mean(values);
        let squares = sum(values, |value| (value - mean) * (value - mean));
        Sums { mean, squares }
    }
}

/// What two equally long lists of at least two values have in common; deviations and covariance of the sample (n - 1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Joint {
    pub(super) means: [f64; 2],
    pub(super) deviations: [f64; 2],
    pub(super) covariance: f64,
    /// The deviation of the first less the second.
    pub(super) difference: f64,
}

impl Joint {
    /// Of each window; `moments` are those of its first list, `sums` those of its second.
    pub(super) fn of(nest: &Nest<'_>, moments: &[Moments], sums: &[Sums]) -> Vec<Joint> {
        let (near_a, near_b) = nest.last();
        let products = nest.sums(|a, b| {
            let (off_a, off_b) = (a - near_a, b - near_b);
            let apart = off_a - off_b;
            [off_a * off_b, apart * apart]
        });
        let windows = products.into_iter().zip(moments).zip(sums);
        let joint = |(([product, apart], moments), sums): (([f64; 2], &Moments), &Sums)| {
            let (off_a, off_b) = (moments.mean - near_a, sums.mean - near_b);
            let (count, off) = (moments.count, off_a - off_b);
            let deviation = |squares: f64| (squares.max(0.0) / (count - 1.0)).sqrt();
            Joint {
                means: [moments.mean, sums.mean],
                deviations: [moments.second, sums.squares].map(deviation),
                covariance: (product - count * off_a * off_b) / (count - 1.0),
                difference: deviation(apart - count * off * off),
            }
        };
        windows.map(joint).collect()
    }

    /// Covariance over the variance of the second list; `None` when that does not vary.
    pub(super) fn beta(&self) -> Option<f64> {
        let [_, spread] = self.deviations;
        (spread > EPSILON).then(|| self.covariance / (spread * spread))
    }
}

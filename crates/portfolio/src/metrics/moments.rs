//! Means, deviations and the shape of a distribution.

use super::EPSILON;
use crate::lanes::{sum, sums, sums_of_pairs};

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
    pub(super) fn of(values: &[f64]) -> Moments {
        let mean = mean(values);
        let [second, third, fourth] = sums(values, |value| {
            let off = value - mean;
            let square = off * off;
            [square, square * off, square * square]
        });
        Moments {
            count: values.len() as f64,
            mean,
            second,
            third,
            fourth,
        }
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

/// The sample deviation (n - 1); `None` below two values.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares = sum(values, |value| (value - mean) * (value - mean));
    sample_deviation(squares, values.len() as f64)
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
    /// `sums_b` are those of the second list.
    pub(super) fn of(a: &[f64], b: &[f64], sums_b: Sums) -> Joint {
        let (mean_a, mean_b) = (mean(a), sums_b.mean);
        let [squares_a, products, apart] = sums_of_pairs(a, b, |a, b| {
            let (off_a, off_b) = (a - mean_a, b - mean_b);
            let apart = off_a - off_b;
            [off_a * off_a, off_a * off_b, apart * apart]
        });
        let others = a.len() as f64 - 1.0;
        let deviation = |squares: f64| (squares / others).sqrt();
        Joint {
            means: [mean_a, mean_b],
            deviations: [squares_a, sums_b.squares].map(deviation),
            covariance: products / others,
            difference: deviation(apart),
        }
    }

    /// Covariance over the variance of the second list; `None` when that does not vary.
    pub(super) fn beta(&self) -> Option<f64> {
        let [_, spread] = self.deviations;
        (spread > EPSILON).then(|| self.covariance / (spread * spread))
    }
}

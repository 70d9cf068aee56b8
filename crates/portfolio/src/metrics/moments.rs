//! Means, deviations and the shape of a distribution.

use super::EPSILON;
use crate::lanes::{sum, sum_of_pairs};

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
        let second = |value: f64| (value - mean) * (value - mean);
        Moments {
            count: values.len() as f64,
            mean,
            second: sum(values, second),
            third: sum(values, |value| second(value) * (value - mean)),
            fourth: sum(values, |value| second(value) * second(value)),
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

/// Sample covariance (n - 1) of two equally long lists of at least two values.
pub(super) fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    sum_of_pairs(a, b, |x, y| (x - mean_a) * (y - mean_b)) / (a.len() - 1) as f64
}

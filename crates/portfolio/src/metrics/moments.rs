//! Means, deviations and the shape of a distribution.

use super::EPSILON;

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn central(values: &[f64], power: i32) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(power)).sum()
}

/// The sample deviation (n - 1); `None` below two values.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    (values.len() > 1).then(|| (central(values, 2) / (values.len() - 1) as f64).sqrt())
}

/// Sample covariance (n - 1) of two equally long lists of at least two values.
pub(super) fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(x, y)| (x - mean_a) * (y - mean_b))
        .sum();
    sum / (a.len() - 1) as f64
}

/// Bias-corrected skewness; `None` below three values or without spread.
pub(super) fn skewness(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 3 || flat(values) {
        return None;
    }
    Some(n * (n - 1.0).sqrt() / (n - 2.0) * central(values, 3) / central(values, 2).powf(1.5))
}

/// Bias-corrected excess kurtosis; `None` below four values or without spread.
pub(super) fn kurtosis(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 4 || flat(values) {
        return None;
    }
    let ratio = central(values, 4) / central(values, 2).powi(2);
    let pairs = (n - 2.0) * (n - 3.0);
    Some(n * (n + 1.0) * (n - 1.0) / pairs * ratio - 3.0 * (n - 1.0).powi(2) / pairs)
}

fn flat(values: &[f64]) -> bool {
    deviation(values).is_none_or(|deviation| deviation <= EPSILON)
}

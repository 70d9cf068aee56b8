//! Quantiles and what lies beyond them.

use super::EPSILON;
use super::moments::mean;

/// The quantile with linear interpolation (type 7) of ascending values; `sorted` is not empty.
pub(super) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * probability;
    let index = position.floor() as usize;
    match sorted.get(index + 1) {
        Some(next) => sorted[index] + (position - index as f64) * (next - sorted[index]),
        None => sorted[sorted.len() - 1],
    }
}

/// Value at risk, conditional value at risk and tail ratio.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    pub(super) var: Option<f64>,
    pub(super) cvar: Option<f64>,
    pub(super) ratio: Option<f64>,
}

/// Historical, as positive losses; nothing below two returns.
pub(super) fn tail(returns: &[f64], confidence: f64) -> Tail {
    if returns.len() < 2 {
        return Tail::default();
    }
    let mut sorted = returns.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = quantile(&sorted, 1.0 - confidence);
    let beyond: Vec<f64> = returns
        .iter()
        .copied()
        .filter(|value| *value <= cut)
        .collect();
    let (low, high) = (quantile(&sorted, 0.05), quantile(&sorted, 0.95));
    Tail {
        var: Some(-cut),
        cvar: Some(-mean(&beyond)),
        ratio: (low.abs() > EPSILON).then(|| high.abs() / low.abs()),
    }
}

//! Quantiles and what lies beyond them.

use super::EPSILON;
use crate::lanes::sum;

/// The quantile with linear interpolation (type 7); puts values in another order, of which there is at least one.
fn quantile(values: &mut [f64], probability: f64) -> f64 {
    let position = (values.len() - 1) as f64 * probability;
    let index = position.floor() as usize;
    let (_, at, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    match above.iter().copied().min_by(f64::total_cmp) {
        Some(next) => *at + (position - index as f64) * (next - *at),
        None => *at,
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
    let mut scratch = returns.to_vec();
    let cut = quantile(&mut scratch, 1.0 - confidence);
    let beyond = |value: f64| value <= cut;
    let lost = sum(returns, |value| if beyond(value) { value } else { 0.0 });
    let count = returns.iter().filter(|value| beyond(**value)).count();
    let (low, high) = (quantile(&mut scratch, 0.05), quantile(&mut scratch, 0.95));
    Tail {
        var: Some(-cut),
        cvar: Some(-lost / count as f64),
        ratio: (low.abs() > EPSILON).then(|| high.abs() / low.abs()),
    }
}

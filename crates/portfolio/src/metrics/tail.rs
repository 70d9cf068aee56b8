//! Quantiles and what lies beyond them.

use super::EPSILON;
use crate::lanes::sum;

/// Values that are put in order only where they are asked for; there is at least one.
struct Ranked {
    values: Vec<f64>,
    /// The ranks that are in their place, in order.
    placed: Vec<usize>,
}

impl Ranked {
    fn new(values: &[f64]) -> Ranked {
        Ranked {
            values: values.to_vec(),
            placed: Vec::new(),
        }
    }

    /// The value of a rank, which is looked for between those next to it that are placed.
    fn at(&mut self, rank: usize) -> f64 {
        let Err(place) = self.placed.binary_search(&rank) else {
            return self.values[rank];
        };
        let start = place
            .checked_sub(1)
            .map_or(0, |before| self.placed[before] + 1);
        let end = self.placed.get(place).copied().unwrap_or(self.values.len());
        self.placed.insert(place, rank);
        let (_, value, _) =
            self.values[start..end].select_nth_unstable_by(rank - start, f64::total_cmp);
        *value
    }

    /// The quantile with linear interpolation (type 7).
    fn quantile(&mut self, probability: f64) -> f64 {
        let last = self.values.len() - 1;
        let position = last as f64 * probability;
        let rank = position.floor() as usize;
        let at = self.at(rank);
        let next = self.at(last.min(rank + 1));
        at + (position - rank as f64) * (next - at)
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
    let mut ranked = Ranked::new(returns);
    let cut = ranked.quantile(1.0 - confidence);
    let beyond = |value: f64| value <= cut;
    let lost = sum(returns, |value| if beyond(value) { value } else { 0.0 });
    let count = returns.iter().filter(|value| beyond(**value)).count();
    let (low, high) = (ranked.quantile(0.05), ranked.quantile(0.95));
    Tail {
        var: Some(-cut),
        cvar: Some(-lost / count as f64),
        ratio: (low.abs() > EPSILON).then(|| high.abs() / low.abs()),
    }
}

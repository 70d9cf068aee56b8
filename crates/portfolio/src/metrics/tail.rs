//! Quantiles and what lies beyond them.

use super::EPSILON;
use super::moments::Moments;
use crate::lanes::sum;

/// Deviations from the mean beyond which a twentieth of all returns mostly lies: returns nearer to it need not be ranked.
const OUTER: f64 = 1.25;

/// Values that are put in order only where they are asked for.
struct Ranked {
    values: Vec<f64>,
    /// The ranks that are in their place, in order.
    placed: Vec<usize>,
}

impl Ranked {
    fn new(values: Vec<f64>) -> Ranked {
        Ranked {
            values,
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
}

/// Ranks of values of which the outer ones are asked for: those off the mean by more than the deviation are looked at first,
/// and all only for a rank that is not among them.
struct Outer<'v> {
    values: &'v [f64],
    low: Ranked,
    high: Ranked,
    all: Option<Ranked>,
}

impl<'v> Outer<'v> {
    fn new(values: &'v [f64], mean: f64, deviation: f64) -> Outer<'v> {
        let (below, above) = (mean - deviation, mean + deviation);
        Outer {
            values,
            low: Ranked::new(chosen(values, |value| value <= below)),
            high: Ranked::new(chosen(values, |value| value >= above)),
            all: None,
        }
    }

    fn at(&mut self, rank: usize) -> f64 {
        let high = self.values.len() - self.high.values.len();
        if rank < self.low.values.len() {
            return self.low.at(rank);
        }
        if rank >= high {
            return self.high.at(rank - high);
        }
        let values = self.values.iter().copied();
        let all = || Ranked::new(values.collect());
        self.all.get_or_insert_with(all).at(rank)
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

/// Some of the values, in order. Each is written down, and the next one over it unless it is chosen: whether it is cannot be
/// foreseen, and a wrong guess of the processor takes longer than all else here.
fn chosen(values: &[f64], is_chosen: impl Fn(f64) -> bool) -> Vec<f64> {
    let mut found = Vec::with_capacity(values.len() / 4);
    for values in values.chunks(64) {
        let (mut some, mut count) = ([0.0; 64], 0);
        for value in values {
            some[count] = *value;
            count += usize::from(is_chosen(*value));
        }
        found.extend_from_slice(&some[..count]);
    }
    found
}

/// Value at risk, conditional value at risk and tail ratio.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    pub(super) var: Option<f64>,
    pub(super) cvar: Option<f64>,
    pub(super) ratio: Option<f64>,
}

/// Historical, as positive losses; nothing below two returns.
pub(super) fn tail(returns: &[f64], confidence: f64, moments: &Moments) -> Tail {
    let Some(deviation) = moments.deviation() else {
        return Tail::default();
    };
    let mut ranked = Outer::new(returns, moments.mean, OUTER * deviation);
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

#[cfg(test)]
mod tests {
    use super::Outer;

    #[test]
    fn ranks_are_those_of_values_in_order() {
        let uneven = |turn: u32| f64::from(turn * 7919 % 1013) - 400.0;
        for length in 1..60 {
            let scattered: Vec<f64> = (0..length).map(uneven).collect();
            let equal = vec![-0.01; scattered.len()];
            for values in [scattered, equal] {
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                for deviation in [0.0, 100.0, 1e4] {
                    let mut ranked = Outer::new(&values, 0.0, deviation);
                    let found: Vec<f64> = (0..values.len()).map(|rank| ranked.at(rank)).collect();
                    assert_eq!(found, sorted);
                }
            }
        }
    }
}

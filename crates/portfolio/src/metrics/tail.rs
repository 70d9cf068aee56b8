//! Quantiles and what lies beyond them.

use super::EPSILON;
use super::moments::Moments;

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

/// Where in a list the values lie that are off its mean by more than some deviations: those among which the outer ranks are
/// found, of the list itself and mostly of lists that end like it.
#[derive(Debug, Default)]
pub(super) struct Outer {
    below: f64,
    above: f64,
    /// Of how many values.
    count: usize,
    low: Vec<u32>,
    high: Vec<u32>,
}

impl Outer {
    /// Each place is written down, and the next one over it unless its value is an outer one: whether it is cannot be foreseen,
    /// and a wrong guess of the processor takes longer than all else here.
    pub(super) fn of(values: &[f64], moments: &Moments) -> Outer {
        const TOGETHER: usize = 64;
        let Some(deviation) = moments.deviation() else {
            return Outer::default();
        };
        let mut outer = Outer {
            below: moments.mean - OUTER * deviation,
            above: moments.mean + OUTER * deviation,
            count: values.len(),
            low: Vec::with_capacity(values.len() / 4),
            high: Vec::with_capacity(values.len() / 4),
        };
        let mut place = 0;
        for values in values.chunks(TOGETHER) {
            let (mut low, mut lows) = ([0; TOGETHER], 0);
            let (mut high, mut highs) = ([0; TOGETHER], 0);
            for value in values {
                (low[lows], high[highs]) = (place, place);
                lows += usize::from(*value <= outer.below);
                highs += usize::from(*value >= outer.above);
                place += 1;
            }
            outer.low.extend_from_slice(&low[..lows]);
            outer.high.extend_from_slice(&high[..highs]);
        }
        outer
    }

    /// The low and the high values of a list that ends like this one but for its first value.
    fn of_ending(&self, values: &[f64]) -> [Vec<f64>; 2] {
        let before = self.count.saturating_sub(values.len());
        let first = values[0];
        let chosen = |places: &[u32], is_first: bool| {
            let later = places.partition_point(|place| *place as usize <= before);
            let later = places[later..].iter();
            let later = later.map(|place| values[*place as usize - before]);
            is_first.then_some(first).into_iter().chain(later).collect()
        };
        [
            chosen(&self.low, first <= self.below),
            chosen(&self.high, first >= self.above),
        ]
    }
}

/// Ranks of values of which the outer ones are asked for.
struct Ranks<'v> {
    values: &'v [f64],
    low: Ranked,
    high: Ranked,
    all: Option<Ranked>,
}

impl Ranks<'_> {
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

/// Value at risk, conditional value at risk and tail ratio.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    pub(super) var: Option<f64>,
    pub(super) cvar: Option<f64>,
    pub(super) ratio: Option<f64>,
}

/// Historical, as positive losses; nothing below two returns. The returns end like those that `outer` is of.
pub(super) fn tail(returns: &[f64], confidence: f64, outer: &Outer) -> Tail {
    if returns.len() < 2 {
        return Tail::default();
    }
    let [low, high] = outer.of_ending(returns);
    let mut ranks = Ranks {
        values: returns,
        low: Ranked::new(low.clone()),
        high: Ranked::new(high),
        all: None,
    };
    let cut = ranks.quantile(1.0 - confidence);
    let beyond = if cut <= outer.below { &low } else { returns };
    let (mut lost, mut count) = (0.0, 0.0);
    for value in beyond {
        let weight = if *value <= cut { 1.0 } else { 0.0 };
        lost += weight * value;
        count += weight;
    }
    let (low, high) = (ranks.quantile(0.05), ranks.quantile(0.95));
    Tail {
        var: Some(-cut),
        cvar: Some(-lost / count),
        ratio: (low.abs() > EPSILON).then(|| high.abs() / low.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Moments, Outer, Ranked, Ranks};

    #[test]
    fn ranks_are_those_of_values_in_order() {
        let uneven = |turn: u32| f64::from(turn * 7919 % 1013) - 400.0;
        for length in 1..60 {
            let scattered: Vec<f64> = (0..length).map(uneven).collect();
            let equal = vec![-0.01; scattered.len()];
            for values in [scattered, equal] {
                let outer = Outer::of(&values, &Moments::of(&values));
                for start in 0..values.len() {
                    let mut ending = values[start..].to_vec();
                    ending[0] = 7.5 - f64::from(length);
                    let mut sorted = ending.clone();
                    sorted.sort_by(f64::total_cmp);
                    let [low, high] = outer.of_ending(&ending).map(Ranked::new);
                    let values = &ending;
                    let mut ranks = Ranks {
                        values,
                        low,
                        high,
                        all: None,
                    };
                    let found: Vec<f64> = (0..values.len()).map(|rank| ranks.at(rank)).collect();
                    assert_eq!(found, sorted);
                }
            }
        }
    }
}

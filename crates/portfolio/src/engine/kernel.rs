//! The inner loops, over contiguous columns.

use std::ops::Range;

/// Sums are kept in this many lanes, so that additions do not wait for each other.
const LANES: usize = 8;

/// A column times a factor; without a column it is one everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'c> {
    pub(super) factor: f64,
    pub(super) closes: Option<&'c [f64]>,
    pub(super) rates: Option<&'c [f64]>,
}

impl Product<'_> {
    /// The value on a day.
    pub(super) fn at(&self, day: usize) -> f64 {
        let of = |column: Option<&[f64]>| column.map_or(1.0, |column| column[day]);
        self.factor * of(self.closes) * of(self.rates)
    }

    /// Adds the values of the days from `from` on to `sums`.
    pub(super) fn add_to(&self, sums: &mut [f64], from: usize) {
        let days = from..from + sums.len();
        match (part(self.closes, &days), part(self.rates, &days)) {
            (Some(closes), Some(rates)) => {
                for ((sum, close), rate) in sums.iter_mut().zip(closes).zip(rates) {
                    *sum += self.factor * close * rate;
                }
            }
            (Some(column), None) | (None, Some(column)) => {
                for (sum, value) in sums.iter_mut().zip(column) {
                    *sum += self.factor * value;
                }
            }
            (None, None) => sums.iter_mut().for_each(|sum| *sum += self.factor),
        }
    }

    /// The sum of weights times the changes from the day before, over the days from `from` on.
    pub(super) fn weigh_changes(&self, weights: &[f64], from: usize) -> f64 {
        let days = from - 1..from + weights.len();
        let sum = match (part(self.closes, &days), part(self.rates, &days)) {
            (Some(closes), Some(rates)) => {
                let values: Vec<f64> = closes
                    .iter()
                    .zip(rates)
                    .map(|(close, rate)| close * rate)
                    .collect();
                weigh(weights, &values)
            }
            (Some(column), None) | (None, Some(column)) => weigh(weights, column),
            (None, None) => 0.0,
        };
        self.factor * sum
    }
}

fn part<'c>(column: Option<&'c [f64]>, days: &Range<usize>) -> Option<&'c [f64]> {
    column.map(|column| &column[days.clone()])
}

/// `sum(weights[i] * (values[i + 1] - values[i]))`.
fn weigh(weights: &[f64], values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (before, after) = (&values[..weights.len()], &values[1..=weights.len()]);
    let chunks = weights.chunks_exact(LANES);
    let rest: f64 = {
        let done = weights.len() - chunks.remainder().len();
        (done..weights.len())
            .map(|day| weights[day] * (after[day] - before[day]))
            .sum()
    };
    for ((weights, before), after) in chunks
        .zip(before.chunks_exact(LANES))
        .zip(after.chunks_exact(LANES))
    {
        for lane in 0..LANES {
            lanes[lane] += weights[lane] * (after[lane] - before[lane]);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

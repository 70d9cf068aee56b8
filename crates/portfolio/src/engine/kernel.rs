//! The inner loops, over contiguous columns.

use std::ops::Range;

use crate::lanes::{sum, sum_of_pairs};

/// Columns that are added in one pass over the sums.
const TOGETHER: usize = 4;

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

    /// Its only column on some days; `None` when it has none or two.
    fn only_column(&self, days: &Range<usize>) -> Option<&[f64]> {
        match (self.closes, self.rates) {
            (Some(column), None) | (None, Some(column)) => Some(&column[days.clone()]),
            _ => None,
        }
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

    /// The sum of weights times the values of the days from `from` on.
    pub(super) fn weigh(&self, weights: &[f64], from: usize) -> f64 {
        let days = from..from + weights.len();
        let sum = match (part(self.closes, &days), part(self.rates, &days)) {
            (Some(closes), Some(rates)) => {
                let values: Vec<f64> = closes
                    .iter()
                    .zip(rates)
                    .map(|(close, rate)| close * rate)
                    .collect();
                sum_of_pairs(weights, &values, |weight, value| weight * value)
            }
            (Some(column), None) | (None, Some(column)) => {
                sum_of_pairs(weights, column, |weight, value| weight * value)
            }
            (None, None) => sum(weights, |weight| weight),
        };
        self.factor * sum
    }
}

fn part<'c>(column: Option<&'c [f64]>, days: &Range<usize>) -> Option<&'c [f64]> {
    column.map(|column| &column[days.clone()])
}

/// Adds products over the same days to sums, several at a time.
pub(super) fn add_all<'p>(
    products: impl Iterator<Item = Product<'p>>,
    sums: &mut [f64],
    from: usize,
) {
    let days = from..from + sums.len();
    let mut waiting: [Option<Product<'p>>; TOGETHER] = [None; TOGETHER];
    let mut count = 0;
    for product in products {
        waiting[count % TOGETHER] = Some(product);
        count += 1;
        if count % TOGETHER == 0 && !add_four(&waiting, sums, &days) {
            waiting
                .iter()
                .flatten()
                .for_each(|product| product.add_to(sums, from));
        }
    }
    let rest = waiting.iter().take(count % TOGETHER).flatten();
    rest.for_each(|product| product.add_to(sums, from));
}

/// False, and nothing is added, unless each of the products has one column.
fn add_four(
    products: &[Option<Product<'_>>; TOGETHER],
    sums: &mut [f64],
    days: &Range<usize>,
) -> bool {
    let column = |turn: usize| {
        let product = products[turn].as_ref()?;
        Some((product.factor, product.only_column(days)?))
    };
    let (Some(a), Some(b), Some(c), Some(d)) = (column(0), column(1), column(2), column(3)) else {
        return false;
    };
    let (left, right) = (a.1.iter().zip(b.1), c.1.iter().zip(d.1));
    for (sum, (left, right)) in sums.iter_mut().zip(left.zip(right)) {
        *sum += (a.0 * left.0 + b.0 * left.1) + (c.0 * right.0 + d.0 * right.1);
    }
    true
}

//! The inner loops, over contiguous columns.

use std::ops::Range;

use super::columns::Column;
use crate::lanes::{dots, sum, sums_of_pairs};

/// Columns that are added in one pass over the sums.
const TOGETHER: usize = 4;

/// A column times a factor; without a column it is one everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'c> {
    pub(super) factor: f64,
    pub(super) closes: Option<Column<'c>>,
    pub(super) rates: Option<Column<'c>>,
}

impl Product<'_> {
    /// The value on a day.
    pub(super) fn at(&self, day: usize) -> f64 {
        let of = |column: Option<Column<'_>>| column.map_or(1.0, |column| column.at(day));
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
                products(weights, &values)
            }
            (Some(column), None) | (None, Some(column)) => products(weights, column),
            (None, None) => sum(weights, |weight| weight),
        };
        self.factor * sum
    }
}

/// The sum of the products of two equally long lists.
fn products(a: &[f64], b: &[f64]) -> f64 {
    let [sum] = sums_of_pairs(a, b, |a, b| [a * b]);
    sum
}

fn part<'c>(column: Option<Column<'c>>, days: &Range<usize>) -> Option<&'c [f64]> {
    column.map(|column| column.on(days))
}

/// Adds products over the same days to sums, several at a time.
pub(super) fn add_all(products: &[Product<'_>], sums: &mut [f64], from: usize) {
    let days = from..from + sums.len();
    let (groups, rest) = products.as_chunks::<TOGETHER>();
    for group in groups {
        match only_columns(group, &days) {
            Some(columns) => add_columns(columns, sums),
            None => group.iter().for_each(|product| product.add_to(sums, from)),
        }
    }
    rest.iter().for_each(|product| product.add_to(sums, from));
}

/// For each product, the sum of weights times its values of the days from `from` on.
pub(super) fn weigh_all(
    products: &[Product<'_>],
    weights: &[f64],
    from: usize,
) -> impl Iterator<Item = f64> {
    let days = from..from + weights.len();
    let (groups, rest) = products.as_chunks::<TOGETHER>();
    let of_groups = groups
        .iter()
        .flat_map(move |group| match only_columns(group, &days) {
            Some(columns) => {
                let sums = dots(weights, columns.map(|(_, column)| column));
                [0, 1, 2, 3].map(|turn| columns[turn].0 * sums[turn])
            }
            None => group.map(|product| product.weigh(weights, from)),
        });
    let of_rest = rest.iter().map(move |product| product.weigh(weights, from));
    of_groups.chain(of_rest)
}

type Columns<'c> = [(f64, &'c [f64]); TOGETHER];

/// Factors and columns on some days; `None` unless each of the products has one column.
fn only_columns<'c>(
    products: &[Product<'c>; TOGETHER],
    days: &Range<usize>,
) -> Option<Columns<'c>> {
    let only = |product: &Product<'c>| match (product.closes, product.rates) {
        (Some(column), None) | (None, Some(column)) => Some((product.factor, column.on(days))),
        _ => None,
    };
    let [a, b, c, d] = products;
    Some([only(a)?, only(b)?, only(c)?, only(d)?])
}

fn add_columns([a, b, c, d]: Columns<'_>, sums: &mut [f64]) {
    let (left, right) = (a.1.iter().zip(b.1), c.1.iter().zip(d.1));
    for (sum, (left, right)) in sums.iter_mut().zip(left.zip(right)) {
        *sum += (a.0 * left.0 + b.0 * left.1) + (c.0 * right.0 + d.0 * right.1);
    }
}

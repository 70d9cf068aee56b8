//! The inner loops, over contiguous columns.

use std::ops::Range;

use super::column::{Column, Slice};
use crate::lanes::{dots, sum, sums_of_pairs};

/// Columns that are added in one pass over the sums.
const TOGETHER: usize = 4;

/// A quantity of what a column gives the value of; without a column that is one everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product<'c> {
    /// Of the column's numbers.
    factor: f64,
    column: Option<&'c Column>,
}

impl<'c> Product<'c> {
    pub(super) fn new(quantity: f64, column: Option<&'c Column>) -> Product<'c> {
        Product {
            factor: quantity / column.map_or(1.0, Column::divisor),
            column,
        }
    }

    /// The value on a day.
    pub(super) fn at(&self, day: usize) -> f64 {
        self.factor * self.column.map_or(1.0, |column| column.number(day))
    }

    /// Which products are best added together.
    pub(super) fn is_whole(&self) -> bool {
        self.column.is_some_and(Column::is_whole)
    }

    /// Adds the values of the days from `from` on to `sums`.
    fn add_to(&self, sums: &mut [f64], from: usize) {
        let Some(column) = self.column else {
            sums.iter_mut().for_each(|sum| *sum += self.factor);
            return;
        };
        let unknown = column.first().saturating_sub(from).min(sums.len());
        let (before, sums) = sums.split_at_mut(unknown);
        before.fill(f64::NAN);
        match column.on(&days_of(sums, from + unknown)) {
            Slice::Whole(numbers) => add_column(self.factor, numbers, sums),
            Slice::Floats(numbers) => add_column(self.factor, numbers, sums),
        }
    }

    /// The sum of weights times the values of the days from `from` on.
    fn weigh(&self, weights: &[f64], from: usize) -> f64 {
        let sum = match self.column {
            None => sum(weights, |weight| weight),
            Some(column) if column.first() > from => f64::NAN,
            Some(column) => match column.on(&days_of(weights, from)) {
                Slice::Whole(numbers) => products(weights, numbers),
                Slice::Floats(numbers) => products(weights, numbers),
            },
        };
        self.factor * sum
    }
}

fn days_of(values: &[f64], from: usize) -> Range<usize> {
    from..from + values.len()
}

/// The sum of the products of two equally long lists.
fn products<T: Copy + Into<f64>>(weights: &[f64], numbers: &[T]) -> f64 {
    let [sum] = sums_of_pairs(weights, numbers, |a, b| [a * b]);
    sum
}

/// Adds products over the same days to sums, several at a time.
pub(super) fn add_all(products: &[Product<'_>], sums: &mut [f64], from: usize) {
    let days = days_of(sums, from);
    let (groups, rest) = products.as_chunks::<TOGETHER>();
    for group in groups {
        match Four::of(group, &days) {
            Some(Four::Whole(numbers)) => add_columns(factors(group), numbers, sums),
            Some(Four::Floats(numbers)) => add_columns(factors(group), numbers, sums),
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
    let days = days_of(weights, from);
    let (groups, rest) = products.as_chunks::<TOGETHER>();
    let of_groups = groups.iter().flat_map(move |group| {
        let sums = match Four::of(group, &days) {
            Some(Four::Whole(numbers)) => dots(weights, numbers),
            Some(Four::Floats(numbers)) => dots(weights, numbers),
            None => return group.map(|product| product.weigh(weights, from)),
        };
        let factors = factors(group);
        [0, 1, 2, 3].map(|turn| factors[turn] * sums[turn])
    });
    let of_rest = rest.iter().map(move |product| product.weigh(weights, from));
    of_groups.chain(of_rest)
}

fn factors(products: &[Product<'_>; TOGETHER]) -> [f64; TOGETHER] {
    products.map(|product| product.factor)
}

/// The numbers of products of one kind.
enum Four<'c> {
    Whole([&'c [i32]; TOGETHER]),
    Floats([&'c [f64]; TOGETHER]),
}

impl<'c> Four<'c> {
    /// `None` unless all products have a column of one kind and a value on each of the days.
    fn of(products: &[Product<'c>; TOGETHER], days: &Range<usize>) -> Option<Four<'c>> {
        let known = |product: &Product<'c>| {
            let column = product.column.filter(|column| column.first() <= days.start);
            column.map(|column| column.on(days))
        };
        let [a, b, c, d] = products.each_ref().map(known);
        match [a?, b?, c?, d?] {
            [
                Slice::Whole(a),
                Slice::Whole(b),
                Slice::Whole(c),
                Slice::Whole(d),
            ] => Some(Four::Whole([a, b, c, d])),
            [
                Slice::Floats(a),
                Slice::Floats(b),
                Slice::Floats(c),
                Slice::Floats(d),
            ] => Some(Four::Floats([a, b, c, d])),
            _ => None,
        }
    }
}

fn add_column<T: Copy + Into<f64>>(factor: f64, numbers: &[T], sums: &mut [f64]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += factor * (*number).into();
    }
}

fn add_columns<T: Copy + Into<f64>>(
    factors: [f64; TOGETHER],
    [a, b, c, d]: [&[T]; TOGETHER],
    sums: &mut [f64],
) {
    let (left, right) = (a.iter().zip(b), c.iter().zip(d));
    for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(left.zip(right)) {
        let [a, b, c, d] = [*a, *b, *c, *d].map(Into::into);
        *sum += (factors[0] * a + factors[1] * b) + (factors[2] * c + factors[3] * d);
    }
}

#[cfg(test)]
mod tests {
    use super::{Product, add_all, weigh_all};
    use crate::engine::column::Column;

    const DAYS: usize = 37;

    /// Whole numbers, floats, a column that begins late, and none, in every order of four.
    fn columns() -> Vec<Option<Column>> {
        let values = |step: f64| (1_u32..).map(move |day| f64::from(day) * step);
        let column = |first: usize, step: f64| {
            let values: Vec<f64> = values(step).take(DAYS - first).collect();
            Some(Column::new(first, &values))
        };
        let kinds = [0, 1, 2, 3];
        let kind = |kind: usize| match kind {
            0 => column(0, 0.25),
            1 => column(0, 1.0 / 3.0),
            2 => column(5, 0.5),
            _ => None,
        };
        let groups = kinds.map(|a| kinds.map(|b| [a, a, b, b, a, b, a, a, a, a].map(kind)));
        groups.into_iter().flatten().flatten().collect()
    }

    #[test]
    fn products_are_added_and_weighed_as_one_by_one() {
        let columns = columns();
        let products: Vec<Product<'_>> = columns
            .iter()
            .zip(1_u32..)
            .map(|(column, turn)| Product::new(f64::from(turn), column.as_ref()))
            .collect();
        let near = |a: f64, b: f64| (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * b.abs();
        let weights: Vec<f64> = (0..DAYS).map(|day| 1.0 / (day as f64 + 1.0)).collect();
        for days in [0..DAYS, 1..4, 4..DAYS, 5..9, 11..12] {
            let from = days.start;
            for count in [1, 2, 4, 5, 9, products.len()] {
                let products = &products[..count];
                let mut sums = vec![1.0; days.len()];
                add_all(products, &mut sums, from);
                for (sum, day) in sums.iter().zip(days.clone()) {
                    let values = products.iter().map(|product| product.at(day));
                    let expected = values.sum::<f64>() + 1.0;
                    assert!(near(*sum, expected), "{count} on {day}: {sum} {expected}");
                }
                let weights = &weights[days.clone()];
                let mut weighed = weigh_all(products, weights, from);
                for product in products {
                    let values = days.clone().map(|day| product.at(day));
                    let expected = values
                        .zip(weights)
                        .map(|(value, weight)| value * weight)
                        .sum();
                    let weighed = weighed.next().expect("each is weighed");
                    assert!(
                        near(weighed, expected),
                        "{count} on {days:?}: {weighed} {expected}"
                    );
                }
            }
        }
    }
}

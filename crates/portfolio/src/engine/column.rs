//! One value for each day of a grid.

use std::ops::Range;

/// Powers of ten of which prices are whole numbers, mostly.
const DIVISORS: [f64; 4] = [1.0, 1e2, 1e4, 1e6];

/// A value for each day from one on; nothing is known of the days before. It is a number over a divisor: a whole number where that
/// says exactly the same, because long sums of columns take as long as it takes to have them from memory.
#[derive(Debug)]
pub(super) struct Column {
    first: usize,
    divisor: f64,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    Whole(Vec<i32>),
    Floats(Vec<f64>),
}

/// The numbers of some days.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slice<'c> {
    Whole(&'c [i32]),
    Floats(&'c [f64]),
}

impl Column {
    /// Of the values of the days from `first` on, NaN where there is none.
    pub(super) fn new(first: usize, values: &[f64]) -> Column {
        let unknown = values.iter().take_while(|value| value.is_nan()).count();
        let values = &values[unknown..];
        let whole = |divisor: f64| Some((divisor, whole(values, divisor)?));
        let (divisor, numbers) = match DIVISORS.into_iter().find_map(whole) {
            Some((divisor, numbers)) => (divisor, Numbers::Whole(numbers)),
            None => (1.0, Numbers::Floats(values.to_vec())),
        };
        Column {
            first: first + unknown,
            divisor,
            numbers,
        }
    }

    /// The values times those of another column.
    pub(super) fn times(&self, other: &Column) -> Column {
        let days = self.first..self.first + self.len();
        let values: Vec<f64> = days.map(|day| self.at(day) * other.at(day)).collect();
        Column::new(self.first, &values)
    }

    fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Whole(numbers) => numbers.len(),
            Numbers::Floats(numbers) => numbers.len(),
        }
    }

    /// The value of a day; NaN before the first.
    pub(super) fn at(&self, day: usize) -> f64 {
        self.number(day) / self.divisor
    }

    /// The number of a day; NaN before the first.
    pub(super) fn number(&self, day: usize) -> f64 {
        let Some(turn) = day.checked_sub(self.first) else {
            return f64::NAN;
        };
        match &self.numbers {
            Numbers::Whole(numbers) => numbers[turn].into(),
            Numbers::Floats(numbers) => numbers[turn],
        }
    }

    /// What all numbers are divided by.
    pub(super) fn divisor(&self) -> f64 {
        self.divisor
    }

    /// True when its numbers are whole ones.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.numbers, Numbers::Whole(_))
    }

    /// The first day with a value.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The numbers of those of some days that have one.
    pub(super) fn on(&self, days: &Range<usize>) -> Slice<'_> {
        let turn = |day: usize| day.saturating_sub(self.first);
        let turns = turn(days.start)..turn(days.end);
        match &self.numbers {
            Numbers::Whole(numbers) => Slice::Whole(&numbers[turns]),
            Numbers::Floats(numbers) => Slice::Floats(&numbers[turns]),
        }
    }
}

/// Values times a divisor, when these are whole numbers of which each gives exactly its value again.
fn whole(values: &[f64], divisor: f64) -> Option<Vec<i32>> {
    let whole = |value: &f64| {
        let number = (value * divisor).round_ties_even() as i32;
        (f64::from(number) / divisor == *value).then_some(number)
    };
    values.iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::Column;

    fn values() -> impl Iterator<Item = Vec<f64>> {
        let prices = |divisor: f64| {
            (1..500)
                .map(|count| f64::from(count * 977) / divisor)
                .collect()
        };
        let odd = vec![1.0 / 3.0, 1e12, -0.000_000_1, f64::INFINITY, f64::NAN, 2.0];
        [1.0, 100.0, 10_000.0, 1e6, 1e7]
            .map(prices)
            .into_iter()
            .chain([odd, Vec::new()])
    }

    #[test]
    fn a_column_says_exactly_what_it_was_given() {
        for (turn, values) in values().enumerate() {
            for unknown in [0, 3] {
                let given = [vec![f64::NAN; unknown], values.clone()].concat();
                let column = Column::new(7, &given);
                assert_eq!(column.is_whole(), turn != 4 && turn != 5, "{turn}");
                assert!((0..7 + unknown).all(|day| column.at(day).is_nan()));
                for (day, value) in values.iter().enumerate() {
                    let held = column.at(7 + unknown + day);
                    assert!(held.to_bits() == value.to_bits(), "{held} {value}");
                }
            }
        }
    }

    #[test]
    fn products_are_known_where_both_are() {
        let closes = Column::new(2, &[f64::NAN, 10.0, 11.0, 12.0]);
        let rates = Column::new(0, &[f64::NAN, f64::NAN, f64::NAN, f64::NAN, 1.5, 1.25]);
        let product = closes.times(&rates);
        assert!(product.at(3).is_nan());
        assert_eq!([product.at(4), product.at(5)], [16.5, 15.0]);
    }
}

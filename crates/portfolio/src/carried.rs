//! Dated observations of which the last one holds until the next.

use jiff::civil::Date;

/// Observations in date order, one per date.
#[derive(Clone, Debug)]
pub struct Carried<T> {
    dates: Vec<Date>,
    values: Vec<T>,
}

impl<T> Default for Carried<T> {
    fn default() -> Self {
        Carried {
            dates: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T> Carried<T> {
    /// From pairs in any order; of two on one date the later in the list counts.
    pub fn new(mut pairs: Vec<(Date, T)>) -> Carried<T> {
        pairs.sort_by_key(|(date, _)| *date);
        let mut series = Carried {
            dates: Vec::with_capacity(pairs.len()),
            values: Vec::with_capacity(pairs.len()),
        };
        for (date, value) in pairs {
            if series.dates.last() == Some(&date) {
                series.values.pop();
                series.dates.pop();
            }
            series.dates.push(date);
            series.values.push(value);
        }
        series
    }

    /// The last observation on or before `date`.
    pub fn at(&self, date: Date) -> Option<(Date, &T)> {
        let after = self.dates.partition_point(|seen| *seen <= date);
        let index = after.checked_sub(1)?;
        Some((self.dates[index], &self.values[index]))
    }

    /// As [`Carried::at`] for each of some dates in order, in one pass.
    pub fn along(
        &self,
        dates: impl Iterator<Item = Date>,
    ) -> impl Iterator<Item = Option<(Date, &T)>> {
        let mut after = 0;
        dates.map(move |date| {
            while self.dates.get(after).is_some_and(|seen| *seen <= date) {
                after += 1;
            }
            let index = after.checked_sub(1)?;
            Some((self.dates[index], &self.values[index]))
        })
    }

    /// Every observation, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &T)> {
        self.dates.iter().copied().zip(&self.values)
    }

    /// The number of observations.
    pub fn len(&self) -> usize {
        self.dates.len()
    }

    /// True without observations.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }
}

impl<T> FromIterator<(Date, T)> for Carried<T> {
    fn from_iter<I: IntoIterator<Item = (Date, T)>>(pairs: I) -> Carried<T> {
        Carried::new(pairs.into_iter().collect())
    }
}

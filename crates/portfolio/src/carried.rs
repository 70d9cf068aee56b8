//! Dated observations of which the last one holds until the next.

use std::sync::Arc;

use jiff::civil::Date;

use crate::dates::begins_with;

/// Observations in date order, one per date.
#[derive(Clone, Debug)]
pub struct Carried<T> {
    /// Shared by the series that were made together.
    dates: Arc<Vec<Date>>,
    values: Vec<T>,
}

impl<T> Default for Carried<T> {
    fn default() -> Self {
        Carried {
            dates: Arc::default(),
            values: Vec::new(),
        }
    }
}

impl<T> Carried<T> {
    /// From pairs in any order; of two on one date the later in the list counts.
    pub fn new(mut pairs: Vec<(Date, T)>) -> Carried<T> {
        pairs.sort_by_key(|(date, _)| *date);
        let mut dates = Vec::with_capacity(pairs.len());
        let mut values = Vec::with_capacity(pairs.len());
        for (date, value) in pairs {
            if dates.last() == Some(&date) {
                values.pop();
                dates.pop();
            }
            dates.push(date);
            values.push(value);
        }
        Carried::in_order(Arc::new(dates), values)
    }

    /// As many dates and values, in date order, one per date.
    pub(crate) fn in_order(dates: Arc<Vec<Date>>, values: Vec<T>) -> Carried<T> {
        debug_assert_eq!(dates.len(), values.len());
        Carried { dates, values }
    }

    /// Adds observations of later dates.
    pub(crate) fn extend(&mut self, later: Carried<T>, joined: &mut JoinedDates) {
        self.dates = joined.of(&self.dates, &later.dates);
        self.values.extend(later.values);
    }

    /// The last observation on or before `date`.
    pub fn at(&self, date: Date) -> Option<(Date, &T)> {
        let index = count_until(&self.dates, date).checked_sub(1)?;
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

    /// The observations of some dates in order, if each of these dates has one.
    pub(crate) fn on(&self, dates: &[Date]) -> Option<&[T]> {
        let first = self
            .dates
            .partition_point(|seen| Some(seen) < dates.first());
        let found = begins_with(&self.dates[first..], dates);
        found.then(|| &self.values[first..first + dates.len()])
    }

    /// The observation that holds on a date, if there is one, and all later ones.
    pub(crate) fn since(&self, date: Date) -> impl Iterator<Item = (Date, &T)> {
        let first = count_until(&self.dates, date).saturating_sub(1);
        let dates = self.dates[first..].iter().copied();
        dates.zip(&self.values[first..])
    }

    /// Every observation, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &T)> {
        self.dates.iter().copied().zip(&self.values)
    }

    /// The same dates with what `of` makes of the values.
    pub fn map<U>(&self, of: impl Fn(&T) -> U) -> Carried<U> {
        Carried {
            dates: Arc::clone(&self.dates),
            values: self.values.iter().map(of).collect(),
        }
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

/// Dates with the later ones that were added to them last: series that shared their dates before share them after.
#[derive(Debug, Default)]
pub(crate) struct JoinedDates {
    before: Arc<Vec<Date>>,
    later: Arc<Vec<Date>>,
    joined: Arc<Vec<Date>>,
}

impl JoinedDates {
    fn of(&mut self, before: &Arc<Vec<Date>>, later: &Arc<Vec<Date>>) -> Arc<Vec<Date>> {
        if !Arc::ptr_eq(&self.before, before) || self.later != *later {
            *self = JoinedDates {
                before: Arc::clone(before),
                later: Arc::clone(later),
                joined: Arc::new(before.iter().chain(later.iter()).copied().collect()),
            };
        }
        Arc::clone(&self.joined)
    }
}

impl<T> FromIterator<(Date, T)> for Carried<T> {
    fn from_iter<I: IntoIterator<Item = (Date, T)>>(pairs: I) -> Carried<T> {
        Carried::new(pairs.into_iter().collect())
    }
}

/// How many of some dates in order are on or before `date`. They are looked for near the place that they would have if
/// they came evenly, as observations do, so that little of a long list is touched.
fn count_until(dates: &[Date], date: Date) -> usize {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return 0;
    };
    if date < *first {
        return 0;
    }
    if *last <= date {
        return dates.len();
    }
    let (low, high) = around(dates, date, even_place(dates, date));
    low + dates[low..high].partition_point(|seen| *seen <= date)
}

/// Where a date within the range of some dates would be if they came evenly.
fn even_place(dates: &[Date], date: Date) -> usize {
    let ordinal = |date: Date| {
        i64::from(date.year()) * 372 + i64::from(date.month()) * 31 + i64::from(date.day())
    };
    let (first, last) = (ordinal(dates[0]), ordinal(dates[dates.len() - 1]));
    let places = i64::try_from(dates.len() - 1).unwrap_or_default();
    let place = places * (ordinal(date) - first) / (last - first).max(1);
    usize::try_from(place)
        .unwrap_or_default()
        .min(dates.len() - 1)
}

/// A range of places that holds the end of what is on or before `date`, found by ever longer steps from `place`.
fn around(dates: &[Date], date: Date, place: usize) -> (usize, usize) {
    let (mut low, mut high, mut step) = (place, place, 4);
    while high < dates.len() && dates[high] <= date {
        low = high;
        high += step;
        step *= 2;
    }
    while low > 0 && dates[low] > date {
        high = low;
        low = low.saturating_sub(step);
        step *= 2;
    }
    (low, high.min(dates.len()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::count_until;
    use crate::dates::plus_days;

    #[test]
    fn dates_are_found_however_they_lie() {
        let start = date(2019, 12, 25);
        let even: Vec<Date> = (0..400).map(|day| plus_days(start, day)).collect();
        let uneven = (0..40)
            .map(|turn| plus_days(start, turn * turn / 4))
            .collect();
        let late = (0..40).map(|turn| plus_days(start, 300 + turn)).collect();
        for mut dates in [Vec::new(), vec![start], even, uneven, late] {
            dates.dedup();
            for day in -3..500 {
                let day = plus_days(start, day);
                let counted = dates.iter().filter(|seen| **seen <= day).count();
                assert_eq!(count_until(&dates, day), counted, "{day}");
            }
        }
    }
}

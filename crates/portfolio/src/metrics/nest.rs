//! Series that end alike, such as the periods of one portfolio: what lies between the opening of one and the end is gone over
//! once for all of them. Each gets the same as it would alone.

use std::cmp::Reverse;

use crate::lanes::joined_ends;

/// Equally long lists, two by two, whose ends are the ends of the longest but for the first pair of each.
#[derive(Debug)]
pub(super) struct Nest<'r> {
    /// The longest lists.
    whole: (&'r [f64], &'r [f64]),
    /// In order: the longest lists first.
    windows: Vec<Window>,
}

/// One of the series of a nest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Which of the lists that were given it is.
    pub(super) turn: usize,
    /// Where it begins in the longest.
    pub(super) start: usize,
    /// The pair there, which is its own.
    first: (f64, f64),
}

impl<'r> Nest<'r> {
    /// All of some lists that are not empty, in nests; lists of one nest are alike for `is_alike` too.
    pub(super) fn all(
        lists: &[(&'r [f64], &'r [f64])],
        is_alike: impl Fn(usize, usize) -> bool,
    ) -> Vec<Nest<'r>> {
        let mut left: Vec<usize> = (0..lists.len()).collect();
        left.retain(|turn| !lists[*turn].0.is_empty());
        left.sort_by_key(|turn| Reverse(lists[*turn].0.len()));
        let mut nests = Vec::new();
        while let Some(longest) = left.first().copied() {
            let inside = |turn: &usize| {
                *turn == longest
                    || (ends_with(lists[longest], lists[*turn]) && is_alike(longest, *turn))
            };
            let (own, others) = left.into_iter().partition(inside);
            nests.push(Nest::of(lists, own));
            left = others;
        }
        nests
    }

    fn of(lists: &[(&'r [f64], &'r [f64])], turns: Vec<usize>) -> Nest<'r> {
        let whole = lists[turns[0]];
        let window = |turn: usize| {
            let (a, b) = lists[turn];
            Window {
                turn,
                start: whole.0.len() - a.len(),
                first: (a[0], b[0]),
            }
        };
        Nest {
            whole,
            windows: turns.into_iter().map(window).collect(),
        }
    }

    /// In order: the longest first.
    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The first lists of the longest pair.
    pub(super) fn whole(&self) -> &'r [f64] {
        self.whole.0
    }

    /// The values of a window's first list after its own first one.
    pub(super) fn later(&self, window: &Window) -> &'r [f64] {
        &self.whole.0[window.start + 1..]
    }

    /// How many pairs a window has.
    pub(super) fn count(&self, window: &Window) -> usize {
        self.whole.0.len() - window.start
    }

    /// The last pair that all have in common; of a list of one pair that one.
    pub(super) fn last(&self) -> (f64, f64) {
        let last = self.whole.0.len() - 1;
        (self.whole.0[last], self.whole.1[last])
    }

    /// The sums of some terms for each pair, by window.
    #[inline]
    pub(super) fn sums<const N: usize>(
        &self,
        terms: impl Fn(f64, f64) -> [f64; N],
    ) -> Vec<[f64; N]> {
        self.joined(0.0, terms, |sum, term| sum + term)
    }

    /// The products of some factors for each pair, by window.
    #[inline]
    pub(super) fn products<const N: usize>(
        &self,
        factors: impl Fn(f64, f64) -> [f64; N],
    ) -> Vec<[f64; N]> {
        self.joined(1.0, factors, |product, factor| product * factor)
    }

    #[inline]
    fn joined<const N: usize>(
        &self,
        nothing: f64,
        terms: impl Fn(f64, f64) -> [f64; N],
        join: impl Fn(f64, f64) -> f64,
    ) -> Vec<[f64; N]> {
        let later = self.windows.iter().map(|window| window.start + 1);
        let places: Vec<usize> = later.collect();
        let mut ends = joined_ends(self.whole, &places, nothing, &terms, &join);
        for (end, window) in ends.iter_mut().zip(&self.windows) {
            for (end, term) in end.iter_mut().zip(terms(window.first.0, window.first.1)) {
                *end = join(*end, term);
            }
        }
        ends
    }
}

impl Window {
    /// The first value of its first list.
    pub(super) fn first(&self) -> f64 {
        self.first.0
    }
}

/// True when lists end with shorter ones, but for the first pair of these.
fn ends_with(longer: (&[f64], &[f64]), shorter: (&[f64], &[f64])) -> bool {
    is_end(longer.0, &shorter.0[1..])
        && (std::ptr::eq(longer.0, longer.1) && std::ptr::eq(shorter.0, shorter.1)
            || is_end(longer.1, &shorter.1[1..]))
}

/// Looks at all values, which is quicker than to stop where one differs.
fn is_end(values: &[f64], end: &[f64]) -> bool {
    let last = &values[values.len() - end.len()..];
    let pairs = last.iter().zip(end);
    pairs.fold(0, |all, (a, b)| all | (a.to_bits() ^ b.to_bits())) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::date;
    use proptest::prelude::*;

    use crate::dates::plus_days;
    use crate::metrics::{Benchmark, ReturnSeries, Settings, stats, stats_of_all};

    proptest! {
        #[test]
        fn each_series_gets_what_it_would_alone(
            returns in prop::collection::vec(prop_oneof![Just(0.0), -0.04_f64..0.042], 1..900),
            starts in prop::collection::vec((0.0_f64..1.0, -0.1_f64..0.1), 1..9),
        ) {
            let base = date(2011, 3, 1);
            let days: Vec<_> = (0..=returns.len() as i64).map(|day| plus_days(base, day)).collect();
            let level = |day: &jiff::civil::Date| (*day, f64::from(day.day()) / 1e3);
            let benchmark: Benchmark<'_> = days.iter().skip(40).map(level).collect();
            let windows: Vec<(usize, Vec<f64>)> = starts.into_iter().map(|(share, first)| {
                let start = (share * returns.len() as f64) as usize;
                let later = returns[start + 1..].iter().copied();
                (start, [first].into_iter().chain(later).collect())
            }).collect();
            let series: Vec<ReturnSeries<'_>> = windows.iter().map(|(start, own)| ReturnSeries {
                base: days[*start],
                dates: &days[start + 1..],
                returns: own,
            }).collect();
            let benchmarks = vec![Some(&benchmark); series.len()];
            let settings = Settings::default();
            let together = stats_of_all(&series, settings, &benchmarks);
            for (series, together) in series.into_iter().zip(together) {
                prop_assert_eq!(stats(series, settings, Some(&benchmark)), together);
            }
        }
    }
}

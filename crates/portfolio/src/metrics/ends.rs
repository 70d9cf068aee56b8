//! Sums over the values of lists that end alike, such as the returns of periods until one day. Blocks are counted from the end
//! of a list, so that they are the same in all of these lists and are summed up once.

use std::ops::Range;

/// Values of a block.
pub(super) const BLOCK: usize = 64;

/// What some values in a row come to.
pub(super) trait Stretch: Copy {
    /// With those of the values after them.
    fn and(self, later: Self) -> Self;
}

/// What the last blocks of a list come to: the last one, the last two, and so on.
#[derive(Debug)]
pub(super) struct Ends<T>(Vec<T>);

impl<T: Stretch> Ends<T> {
    /// Of a list of `count` values, the first of which lies in no block; `of` gives what some of them come to.
    pub(super) fn of(count: usize, of: impl Fn(Range<usize>) -> T) -> Ends<T> {
        let blocks = count.saturating_sub(1) / BLOCK;
        let mut ends: Vec<T> = Vec::with_capacity(blocks);
        for block in 1..=blocks {
            let start = count - block * BLOCK;
            let own = of(start..start + BLOCK);
            ends.push(ends.last().map_or(own, |later| own.and(*later)));
        }
        Ends(ends)
    }

    /// What a whole list comes to, of which all values but the first are the last ones of this one; `of` gives what some of it
    /// come to.
    pub(super) fn whole(&self, count: usize, of: impl Fn(Range<usize>) -> T) -> T {
        let blocks = count.saturating_sub(1) / BLOCK;
        let head = of(0..count - blocks * BLOCK);
        match blocks.checked_sub(1) {
            Some(last) => head.and(self.0[last]),
            None => head,
        }
    }
}

/// What a list of `count` values comes to by itself.
pub(super) fn whole<T: Stretch>(count: usize, of: impl Fn(Range<usize>) -> T) -> T {
    Ends::of(count, &of).whole(count, &of)
}

/// True when all values of a list but the first are the last ones of another, which of one list in memory is known without
/// looking at its values.
pub(super) fn ends_with(longer: &[f64], list: &[f64]) -> bool {
    if list.len() > longer.len() {
        return false;
    }
    let later = list.get(1..).unwrap_or_default();
    let end = &longer[longer.len() - later.len()..];
    let off = |(a, b): (&f64, &f64)| a.to_bits() ^ b.to_bits();
    std::ptr::eq(end, later) || end.iter().zip(later).fold(0, |all, pair| all | off(pair)) == 0
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Ends, Stretch, ends_with, whole};

    /// The numbers of values, in order.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Run {
        start: usize,
        end: usize,
    }

    impl Stretch for Run {
        fn and(self, later: Run) -> Run {
            assert_eq!(self.end, later.start);
            Run {
                start: self.start,
                end: later.end,
            }
        }
    }

    #[test]
    fn every_value_counts_once_and_in_order() {
        let longest = 3 * BLOCK + 7;
        let run = |start: usize| {
            move |values: std::ops::Range<usize>| Run {
                start: start + values.start,
                end: start + values.end,
            }
        };
        let ends = Ends::of(longest, run(0));
        for count in 1..=longest {
            let start = longest - count;
            let all = Run {
                start,
                end: longest,
            };
            assert_eq!(ends.whole(count, run(start)), all);
            assert_eq!(whole(count, run(start)), all);
        }
    }

    #[test]
    fn lists_that_end_alike_are_told_from_others() {
        let longer: Vec<f64> = (0..200).map(f64::from).collect();
        for start in 0..longer.len() {
            let mut list = longer[start..].to_vec();
            list[0] = -7.0;
            assert!(ends_with(&longer, &list));
            assert!(ends_with(&longer, &longer[start..]));
            for off in 1..list.len() {
                let mut other = list.clone();
                other[off] += 1.0;
                assert!(!ends_with(&longer, &other));
            }
        }
        let longest = [&[-7.0], longer.as_slice()].concat();
        assert!(!ends_with(&longer, &longest));
    }
}

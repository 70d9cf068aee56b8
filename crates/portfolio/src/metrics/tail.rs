//! The outer returns: the worst and the best one, quantiles, and what lies beyond them.

use super::EPSILON;
use super::moments::Moments;
use super::nest::{Nest, Window};

/// Deviations from the mean beyond which a twentieth of all returns mostly lies: returns nearer to it need not be ranked.
const OUTER: f64 = 1.25;
/// Windows of fewer days are ranked by themselves.
const SHORT: usize = 128;

/// A return and its day, counted from the first of the longest window.
type Dated = (usize, f64);

/// Value at risk, conditional value at risk and tail ratio, with the worst and the best return; of equals the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    pub(super) var: Option<f64>,
    pub(super) cvar: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) worst: Option<Dated>,
    pub(super) best: Option<Dated>,
}

/// The tails of each window, historical, losses positive; value at risk from two returns on. `longest` are the moments of the longest one.
pub(super) fn tails(nest: &Nest<'_>, confidence: f64, longest: &Moments) -> Vec<Tail> {
    let off = OUTER * longest.deviation().unwrap_or_default();
    let (low, high) = (longest.mean - off, longest.mean + off);
    let outer = chosen(nest.whole(), |value| value <= low || value >= high);
    let lowest = Side::new(nest, (1.0, low), &outer, confidence);
    let highest = Side::new(nest, (-1.0, -high), &outer, confidence);
    let tail = |window| tail(nest, window, confidence, (&lowest, &highest));
    nest.windows().iter().map(tail).collect()
}

fn tail(
    nest: &Nest<'_>,
    window: &Window,
    confidence: f64,
    (lowest, highest): (&Side<'_>, &Side<'_>),
) -> Tail {
    let count = nest.count(window);
    let place = |probability: f64| Place::of(probability, count);
    let (beyond, low, high) = (place(1.0 - confidence), place(0.05), place(0.95));
    let worst = lowest.first(window, beyond.next.max(low.next) + 1);
    let best = highest.first(window, count - high.rank);
    let mut tail = Tail {
        worst: worst.first().map(|item| lowest.dated(*item)),
        best: best.first().map(|item| highest.dated(*item)),
        ..Tail::default()
    };
    if count > 1 {
        let from_below = |rank: usize| lowest.value(worst[rank]);
        let from_above = |rank: usize| highest.value(best[count - 1 - rank]);
        let (cut, low) = (beyond.value(from_below), low.value(from_below));
        let high = high.value(from_above);
        tail.var = Some(-cut);
        tail.cvar = Some(-lowest.mean_until(cut, window, &worst));
        tail.ratio = (low.abs() > EPSILON).then(|| high.abs() / low.abs());
    }
    tail
}

/// How many values of either end the figures of `count` returns rest on, at most.
fn needed(count: usize, confidence: f64) -> usize {
    let next = |probability: f64| Place::of(probability, count).next + 1;
    let below = next(1.0 - confidence).max(next(0.05));
    below.max(count - Place::of(0.95, count).rank)
}

/// Leaves the first `count` items, in any order.
fn put_first(items: &mut Vec<Item>, count: usize) {
    if count < items.len() {
        items.select_nth_unstable(count);
        items.truncate(count);
    }
}

/// Where a quantile lies in values in order, with linear interpolation (type 7).
#[derive(Clone, Copy)]
struct Place {
    rank: usize,
    next: usize,
    /// How far it is from the one to the other.
    share: f64,
}

impl Place {
    fn of(probability: f64, count: usize) -> Place {
        let last = count - 1;
        let position = last as f64 * probability;
        let rank = position.floor() as usize;
        Place {
            rank,
            next: last.min(rank + 1),
            share: position - rank as f64,
        }
    }

    fn value(&self, of_rank: impl Fn(usize) -> f64) -> f64 {
        let at = of_rank(self.rank);
        at + self.share * (of_rank(self.next) - at)
    }
}

/// A value, made such that its order is that of the values, and below it the day: so equal values are in the order of days.
type Item = u128;

/// The values at one end of the order, which is turned round for the highest.
struct Side<'n> {
    nest: &'n Nest<'n>,
    /// One, or minus one to turn the order round.
    sign: f64,
    /// In order, those of the longest window that are not beyond, but for its first.
    outer: Vec<Item>,
    limit: f64,
}

impl<'n> Side<'n> {
    /// Among the days `outer`, which have all values that are not beyond the limit. A single window needs but some of them in order.
    fn new(
        nest: &'n Nest<'n>,
        (sign, limit): (f64, f64),
        outer: &[u32],
        confidence: f64,
    ) -> Side<'n> {
        let values: Vec<f64> = outer
            .iter()
            .map(|day| nest.whole()[*day as usize] * sign)
            .collect();
        let own = chosen(&values, |value| value <= limit).into_iter();
        let own = own.map(|place| (values[place as usize], outer[place as usize] as usize));
        let later = own.filter(|(_, day)| *day > 0);
        let mut outer: Vec<Item> = later.map(|(value, day)| item(value, day)).collect();
        if let [window] = nest.windows() {
            let count = needed(nest.count(window), confidence);
            put_first(&mut outer, count);
        }
        outer.sort_unstable();
        Side {
            nest,
            sign,
            outer,
            limit,
        }
    }

    /// The first values of a window in order, `count` of them.
    fn first(&self, window: &Window, count: usize) -> Vec<Item> {
        let outer = (self.nest.count(window) >= SHORT).then(|| self.first_outer(window, count));
        outer
            .flatten()
            .unwrap_or_else(|| self.first_of_all(window, count))
    }

    /// Out of those that are in order already; `None` when they are too few. Each is written down, and the next one over it unless
    /// it is of the window: whether it is cannot be foreseen, and a wrong guess of the processor takes longer than all else here.
    fn first_outer(&self, window: &Window, count: usize) -> Option<Vec<Item>> {
        let mut first = vec![0; count + 1];
        let mut found = 0;
        for item in &self.outer {
            first[found] = *item;
            found += usize::from(day(*item) > window.start);
            if found == count {
                break;
            }
        }
        first.truncate(found);
        let own = self.own(window);
        if found == count || self.sign * window.first() <= self.limit {
            first.insert(first.partition_point(|item| *item < own), own);
            first.truncate(count);
        }
        (first.len() == count).then_some(first)
    }

    fn first_of_all(&self, window: &Window, count: usize) -> Vec<Item> {
        let values = self.nest.later(window).iter().zip(window.start + 1..);
        let later = values.map(|(value, day)| item(self.sign * value, day));
        let mut all: Vec<Item> = later.chain([self.own(window)]).collect();
        put_first(&mut all, count);
        all.sort_unstable();
        all
    }

    fn own(&self, window: &Window) -> Item {
        item(self.sign * window.first(), window.start)
    }

    fn value(&self, item: Item) -> f64 {
        self.sign * value(item)
    }

    fn dated(&self, item: Item) -> Dated {
        (day(item), self.value(item))
    }

    /// The mean of a window's values that are not above a cut, which is not below the first of them; `first` are its first ones.
    fn mean_until(&self, cut: f64, window: &Window, first: &[Item]) -> f64 {
        let count = first.partition_point(|item| value(*item) <= cut);
        if count == first.len() && count < self.nest.count(window) {
            // Values equal to the cut may follow.
            let all = self.first_of_all(window, self.nest.count(window));
            return self.mean_until(cut, window, &all);
        }
        let sum: f64 = first[..count].iter().map(|item| value(*item)).sum();
        sum / count as f64
    }
}

fn item(value: f64, day: usize) -> Item {
    // Zero has two signs.
    let bits = (value + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    u128::from(ordered) << 64 | day as u128
}

fn value(item: Item) -> f64 {
    let ordered = (item >> 64) as u64;
    f64::from_bits(if ordered >> 63 == 1 {
        ordered & !(1 << 63)
    } else {
        !ordered
    })
}

fn day(item: Item) -> usize {
    item as u64 as usize
}

/// The places of some of the values, in order; found as in [`Side::first_outer`].
fn chosen(values: &[f64], is_chosen: impl Fn(f64) -> bool) -> Vec<u32> {
    const TOGETHER: usize = 64;
    let mut found = Vec::with_capacity(values.len() / 4);
    let mut place = 0;
    for values in values.chunks(TOGETHER) {
        let (mut some, mut count) = ([0; TOGETHER], 0);
        for value in values {
            some[count] = place;
            count += usize::from(is_chosen(*value));
            place += 1;
        }
        found.extend_from_slice(&some[..count]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Nest, Side, value};

    #[test]
    fn values_are_in_order_however_few_are_outer() {
        let uneven = |turn: u32| f64::from(turn * 7919 % 1013) - 400.0;
        for length in [1, 2, 5, 130, 400] {
            let scattered: Vec<f64> = (0..length).map(uneven).collect();
            let equal = vec![-0.01; scattered.len()];
            let zeros: Vec<f64> = scattered.iter().map(|value| value * 0.0).collect();
            for values in [scattered, equal, zeros] {
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                for limit in [-900.0, -100.0, 1e4] {
                    for nest in Nest::all(&[(&values, &values)], |_, _| true) {
                        let window = &nest.windows()[0];
                        for count in [1, values.len() / 20 + 1, values.len()] {
                            let all: Vec<u32> = (0..length).collect();
                            let side = Side::new(&nest, (1.0, limit), &all, 0.95);
                            let first = side.first(window, count);
                            let found: Vec<f64> = first.into_iter().map(value).collect();
                            assert_eq!(found, sorted[..count]);
                        }
                    }
                }
            }
        }
    }
}

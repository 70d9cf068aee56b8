//! How long the slots were occupied by the runs of late, and so how many messages may be held ahead of them.
//!
//! A worker whose tasks take microseconds would spend its time on round trips if it asked for no more messages than it has free
//! slots. By Little's law a slot begins `budget / typical` runs within a budget of time; so many messages are not kept from anybody
//! else for longer than that, as long as tasks go on taking what they took. Where a run takes longer than the budget, its slot's next
//! message is asked for when the run is expected to end within the budget; if that cannot be told, when it has ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How much one run counts: an eighth.
const WEIGHT: u64 = 8;
/// No run is taken to be shorter than this, in nanoseconds: starting and settling it takes time as well.
const SHORTEST: u64 = 4_000;
/// How far off runs are taken to be of which nothing is known, in nanoseconds.
const UNKNOWN: u64 = 10_000_000;
/// How late a timer may be, in nanoseconds: tokio's wheel turns once in a millisecond, and the system's wait ends on a full one.
const LATENESS: u64 = 2_000_000;
/// Most messages held ahead.
const MOST: usize = 256;

/// The exponential averages of how long runs occupy a slot, and of how far they are from what was expected.
#[derive(Debug)]
pub(crate) struct Pace {
    /// So much work may be held ahead, in nanoseconds; 0 holds nothing ahead.
    budget: u64,
    /// Slots that surely go on beside each other: runs that compute share the cores, however many slots there are.
    cores: usize,
    /// Nanoseconds.
    typical: AtomicU64,
    /// Nanoseconds.
    deviation: AtomicU64,
}

impl Pace {
    /// Runs are taken to be long until they have shown that they are not.
    pub(crate) fn new(budget: Duration, cores: usize) -> Self {
        let budget = nanoseconds(budget);
        Self {
            budget,
            cores,
            typical: budget.into(),
            deviation: UNKNOWN.into(),
        }
    }

    /// A run has occupied its slot for so long. When two runs end at the same time, one of them may not be counted.
    pub(crate) fn ran(&self, time: Duration) {
        let (time, typical) = (nanoseconds(time), self.typical.load(Ordering::Relaxed));
        mix(&self.deviation, time.abs_diff(typical));
        mix(&self.typical, time);
    }

    /// Something is known to take long, or may: nothing is held ahead until runs have been seen again that are short or alike.
    pub(crate) fn slow_down(&self) {
        self.typical.fetch_max(self.budget, Ordering::Relaxed);
        self.deviation.fetch_max(UNKNOWN, Ordering::Relaxed);
    }

    /// After what time a run that begins now will probably end soon: in half the budget, or as much earlier as a timer may be late.
    /// `None` when that cannot be told, or when what is held ahead is enough.
    pub(crate) fn ends_soon_after(&self) -> Option<Duration> {
        let typical = self.typical.load(Ordering::Relaxed);
        let alike = self.deviation.load(Ordering::Relaxed) <= self.budget;
        let long = typical >= self.budget && self.budget > 0;
        let ahead = self.budget / 2 + LATENESS;
        (long && alike).then(|| Duration::from_nanos(typical.saturating_sub(ahead)))
    }

    /// How many messages so many slots will have begun within the budget, once they run others.
    pub(crate) fn ahead(&self, slots: usize) -> usize {
        let typical = self.typical.load(Ordering::Relaxed).max(SHORTEST);
        if typical >= self.budget {
            return 0;
        }
        let of_each = usize::try_from(self.budget / typical).unwrap_or(MOST);
        slots.min(self.cores).saturating_mul(of_each).min(MOST)
    }
}

fn mix(average: &AtomicU64, value: u64) {
    let before = average.load(Ordering::Relaxed);
    average.store(before - before / WEIGHT + value / WEIGHT, Ordering::Relaxed);
}

fn nanoseconds(time: Duration) -> u64 {
    // The average stays below the largest number that is added to it.
    u64::try_from(time.as_nanos()).map_or(u64::MAX / 2, |time| time.min(u64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(10);
    const LONG: Duration = Duration::from_millis(50);

    fn pace_after(runs: usize, time: Duration) -> Pace {
        let pace = Pace::new(Duration::from_millis(1), 4);
        (0..runs).for_each(|_| pace.ran(time));
        pace
    }

    #[test]
    fn nothing_is_held_ahead_of_runs_that_are_long_or_unknown() {
        assert_eq!(pace_after(0, SHORT).ahead(100), 0);
        assert_eq!(pace_after(100, LONG).ahead(100), 0);
    }

    #[test]
    fn as_much_is_held_ahead_as_is_begun_within_the_budget() {
        let pace = pace_after(100, Duration::from_micros(100));
        let of_each = pace.ahead(1);
        assert!((8..=10).contains(&of_each), "{of_each}");
        assert_eq!(pace.ahead(2), 2 * of_each);
        assert_eq!(pace.ahead(100), 4 * of_each, "as many as there are cores");
        assert_eq!(pace_after(1_000, SHORT).ahead(100), MOST);
    }

    #[test]
    fn one_long_run_ends_it_and_short_ones_bring_it_back() {
        let pace = pace_after(100, SHORT);
        pace.ran(LONG);
        assert_eq!(pace.ahead(2), 0);
        (0..50).for_each(|_| pace.ran(SHORT));
        assert!(pace.ahead(2) > 10);
        pace.slow_down();
        assert_eq!(pace.ahead(2), 0);
    }

    #[test]
    fn the_end_of_long_runs_is_told_when_they_are_alike() {
        assert_eq!(pace_after(0, LONG).ends_soon_after(), None);
        let pace = pace_after(200, LONG);
        let after = pace.ends_soon_after().expect("they are alike");
        assert!(after.abs_diff(LONG - Duration::from_micros(2_500)) < Duration::from_micros(10));
        pace.ran(LONG / 2);
        assert_eq!(pace.ends_soon_after(), None, "one was half as long");
        let short = pace_after(200, SHORT);
        assert_eq!(short.ends_soon_after(), None, "enough is held ahead");
    }

    #[test]
    fn without_a_budget_nothing_is_ever_held_ahead() {
        let pace = Pace::new(Duration::ZERO, 4);
        pace.ran(Duration::ZERO);
        assert_eq!((pace.ahead(2), pace.ends_soon_after()), (0, None));
    }
}

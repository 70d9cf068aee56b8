//! Which of an entry's passed slots is dealt with, and how many are counted as missed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Schedule;
use crate::{Entry, Misfire};

/// Beyond this many missed slots nobody counts them one by one.
const COUNTED_SLOTS: u64 = 100_000;

/// The slot to deal with at `now`, and how many before it are missed; `None` when none is due.
pub(super) fn choose(entry: &Entry, last: Timestamp, now: Timestamp) -> Option<(Timestamp, u64)> {
    let first = entry
        .next_after(last)
        .filter(|slot| entry.due(*slot) <= now)?;
    match (entry.policy.misfire, entry.policy.window()) {
        (Misfire::All, Some(window)) => Some(oldest_within(entry, first, window, now)),
        _ => Some(latest(entry, first, now)),
    }
}

/// The first slot that the window still allows; the latest one when there is none.
fn oldest_within(
    entry: &Entry,
    first: Timestamp,
    window: Duration,
    now: Timestamp,
) -> (Timestamp, u64) {
    let Ok(oldest) = now.checked_sub(window) else {
        return (first, 0);
    };
    if entry.due(first) >= oldest {
        return (first, 0);
    }
    let (slot, missed) = latest(entry, first, oldest);
    match entry
        .next_after(slot)
        .filter(|next| entry.due(*next) <= now)
    {
        Some(next) => (next, missed + 1),
        None => (slot, missed),
    }
}

/// The latest slot that is due at `now`, and how many lie between it and `first`, which is due.
fn latest(entry: &Entry, first: Timestamp, now: Timestamp) -> (Timestamp, u64) {
    let (mut slot, mut missed) = jump(entry, first, now).unwrap_or((first, 0));
    while let Some(next) = entry
        .next_after(slot)
        .filter(|next| entry.due(*next) <= now)
    {
        (slot, missed) = (next, missed + 1);
        if missed == COUNTED_SLOTS {
            return (now, missed);
        }
    }
    (slot, missed)
}

/// Far along an even grid, to a slot that is surely due.
fn jump(entry: &Entry, first: Timestamp, now: Timestamp) -> Option<(Timestamp, u64)> {
    let Schedule::Interval(interval) = &entry.timetable.schedule else {
        return None;
    };
    let jitter = SignedDuration::try_from(entry.policy.jitter).ok()?;
    let sure = now.checked_sub(jitter).ok()?;
    let sure = entry.policy.end.map_or(sure, |end| sure.min(end));
    (sure > first).then(|| interval.latest_on_grid(first, sure))?
}

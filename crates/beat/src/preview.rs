//! The slots to come, with the clock changes that they meet.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::Entry;

/// A slot to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// The slot.
    pub slot: Timestamp,
    /// When it is sent: later by its jitter.
    pub due: Timestamp,
    /// The zone's clocks were set since the slot before, forward (positive) or back, by so many seconds.
    pub clock_change: Option<i32>,
}

/// The slots after `last`, soonest first; as many as are asked for.
pub fn coming(entry: &Entry, last: Timestamp) -> impl Iterator<Item = Coming> {
    let zone = &entry.timetable.zone;
    let mut before = last;
    std::iter::from_fn(move || {
        let slot = entry.next_after(before)?;
        let change = offset(zone, slot).seconds() - offset(zone, before).seconds();
        before = slot;
        Some(Coming {
            slot,
            due: entry.due(slot),
            clock_change: (change != 0).then_some(change),
        })
    })
}

fn offset(zone: &TimeZone, at: Timestamp) -> Offset {
    zone.to_offset(at)
}

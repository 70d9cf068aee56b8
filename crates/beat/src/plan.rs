//! The leader's plan: which entry is due next, and which slot a due entry runs for. No waiting and no sending here.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::schedule::Schedule;
use crate::state::{decode, encode, entry_key, entry_name};
use crate::{Entry, EntryState};

/// Beyond this many missed slots nobody counts them one by one.
const COUNTED_SLOTS: u64 = 100_000;

/// Records to write; `None` deletes.
pub(crate) type Writes = Vec<(String, Option<Bytes>)>;

/// An entry with what is known of its runs.
#[derive(Debug)]
struct Planned {
    entry: Entry,
    state: EntryState,
}

/// One entry that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    index: usize,
    /// The slot that it runs for: the latest one up to now.
    pub(crate) slot: Timestamp,
    /// How many earlier slots have passed without a run.
    pub(crate) missed: u64,
}

/// All entries by the time they are due.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    planned: Vec<Planned>,
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

impl Plan {
    /// Joins entries with their stored records. Returns what must be written: records of new entries and of those whose
    /// timing changed (both begin now), and the deletion of records that belong to no enabled entry.
    pub(crate) fn adopt(
        entries: &[Entry],
        stored: Vec<(String, Bytes)>,
        now: Timestamp,
    ) -> (Self, Writes) {
        let mut stored: HashMap<String, Bytes> = stored
            .into_iter()
            .filter(|(key, _)| entry_name(key).is_some())
            .collect();
        let (mut plan, mut writes) = (Self::default(), Writes::new());
        for entry in entries.iter().filter(|entry| entry.enabled) {
            let key = entry_key(&entry.name);
            let known: Option<EntryState> =
                stored.remove(&key).and_then(|record| decode(&key, &record));
            let state = known
                .filter(|state| state.timing == entry.timing())
                .unwrap_or_else(|| {
                    let state = EntryState::new(entry, now);
                    writes.push((key, Some(encode(&state))));
                    state
                });
            plan.planned.push(Planned {
                entry: entry.clone(),
                state,
            });
            plan.schedule(plan.planned.len() - 1);
        }
        writes.extend(stored.into_keys().map(|key| (key, None)));
        (plan, writes)
    }

    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        self.planned.len()
    }

    /// When the next entry is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes up to `max` entries that are due, soonest first. Each is planned again by [`Plan::record`].
    pub(crate) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        while runs.len() < max && self.next_due().is_some_and(|due| due <= now) {
            if let Some(Reverse((due, index))) = self.due.pop() {
                let (slot, missed) = latest_slot(&self.planned[index].entry, due, now);
                runs.push(Run {
                    index,
                    slot,
                    missed,
                });
            }
        }
        runs
    }

    /// The entry of a run.
    pub(crate) fn entry(&self, run: &Run) -> &Entry {
        &self.planned[run.index].entry
    }

    /// What is remembered after a run that was sent at `sent_at`, or skipped.
    pub(crate) fn state_after(&self, run: &Run, sent_at: Option<Timestamp>) -> EntryState {
        let before = &self.planned[run.index].state;
        EntryState {
            timing: before.timing.clone(),
            last_slot: run.slot,
            last_run_at: sent_at.or(before.last_run_at),
            total_run_count: before.total_run_count + u64::from(sent_at.is_some()),
            missed: before.missed + run.missed + u64::from(sent_at.is_none()),
        }
    }

    /// Records what the broker remembers now, and plans the next run.
    pub(crate) fn record(&mut self, run: &Run, state: EntryState) {
        self.planned[run.index].state = state;
        self.schedule(run.index);
    }

    fn schedule(&mut self, index: usize) {
        let Planned { entry, state } = &self.planned[index];
        match entry.next_after(state.last_slot) {
            Some(due) => self.due.push(Reverse((due, index))),
            None => tracing::warn!(entry = %entry.name, "has no further run"),
        }
    }
}

impl Run {
    /// How late it is.
    pub(crate) fn lateness(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.slot)).unwrap_or_default()
    }
}

/// The latest slot up to now, and how many lie between it and the last run.
fn latest_slot(entry: &Entry, first: Timestamp, now: Timestamp) -> (Timestamp, u64) {
    if let Schedule::Interval(interval) = &entry.schedule
        && let Some(latest) = interval.latest_on_grid(first, now)
    {
        return latest;
    }
    let (mut slot, mut missed) = (first, 0);
    while let Some(next) = entry.next_after(slot).filter(|next| *next <= now) {
        (slot, missed) = (next, missed + 1);
        if missed == COUNTED_SLOTS {
            return (now, missed);
        }
    }
    (slot, missed)
}

#[cfg(test)]
mod tests;

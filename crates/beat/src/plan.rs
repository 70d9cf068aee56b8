//! The leader's plan: which entry is due next, and which slot a due entry runs for. No waiting and no sending here.

mod slots;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::state::{decode, encode, entry_key, entry_name};
use crate::{Entry, EntryState};

/// Records to write; `None` deletes.
pub(crate) type Writes = Vec<(String, Option<Bytes>)>;

/// What is known of entries, by their records' keys.
pub(crate) type States = HashMap<String, EntryState>;

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
    /// The slot that it runs for.
    pub(crate) slot: Timestamp,
    /// How many earlier slots have passed without a run.
    pub(crate) missed: u64,
    /// Whether the slot is later than its entry allows.
    pub(crate) is_late: bool,
}

/// All entries by the time they are due.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    planned: Vec<Planned>,
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
    disabled: States,
    /// `beat_cron_starting_deadline`.
    deadline: Option<Duration>,
}

impl Plan {
    /// Joins entries with their records. Returns what must be written: records that begin anew or change, and the deletion of records that
    /// belong to no entry.
    pub(crate) fn adopt(
        entries: &[Entry],
        mut known: States,
        now: Timestamp,
        deadline: Option<Duration>,
    ) -> (Self, Writes) {
        let mut plan = Self {
            deadline,
            ..Self::default()
        };
        let mut writes = Writes::new();
        for entry in entries {
            let key = entry_key(&entry.name);
            let before = known.remove(&key);
            let state = adopted(entry, before.clone(), now);
            if before.as_ref() != Some(&state) {
                writes.push((key.clone(), Some(encode(&state))));
            }
            plan.add(entry, key, state);
        }
        writes.extend(known.into_keys().map(|key| (key, None)));
        (plan, writes)
    }

    fn add(&mut self, entry: &Entry, key: String, state: EntryState) {
        if !entry.enabled {
            self.disabled.insert(key, state);
            return;
        }
        self.planned.push(Planned {
            entry: entry.clone(),
            state,
        });
        self.schedule(self.planned.len() - 1);
    }

    /// How many entries it sends.
    pub(crate) fn len(&self) -> usize {
        self.planned.len()
    }

    /// What is known of all entries, to plan anew with.
    pub(crate) fn into_states(self) -> States {
        let planned = self.planned.into_iter();
        let mut states = self.disabled;
        states.extend(planned.map(|planned| (entry_key(&planned.entry.name), planned.state)));
        states
    }

    /// When the next entry is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes up to `max` entries that are due, soonest first. Each is planned again by [`Plan::record`] or [`Plan::postpone`].
    pub(crate) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        while runs.len() < max && self.next_due().is_some_and(|due| due <= now) {
            if let Some(Reverse((_, index))) = self.due.pop() {
                runs.extend(self.run(index, now));
            }
        }
        runs
    }

    fn run(&self, index: usize, now: Timestamp) -> Option<Run> {
        let Planned { entry, state } = &self.planned[index];
        let (slot, missed) = slots::choose(entry, state.last_slot, now)?;
        let is_late = entry
            .window(self.deadline)
            .is_some_and(|window| lateness(entry, slot, now) > window);
        Some(Run {
            index,
            slot,
            missed,
            is_late,
        })
    }

    /// The entry of a run.
    pub(crate) fn entry(&self, run: &Run) -> &Entry {
        &self.planned[run.index].entry
    }

    /// What is remembered of a run's entry.
    pub(crate) fn state(&self, run: &Run) -> &EntryState {
        &self.planned[run.index].state
    }

    /// Records what the broker remembers now, and plans the next run.
    pub(crate) fn record(&mut self, run: &Run, state: EntryState) {
        self.planned[run.index].state = state;
        self.schedule(run.index);
    }

    /// Looks at the entry again at this time; its slots up to then count as missed but for the latest.
    pub(crate) fn postpone(&mut self, run: &Run, until: Timestamp) {
        self.due.push(Reverse((until, run.index)));
    }

    fn schedule(&mut self, index: usize) {
        let Planned { entry, state } = &self.planned[index];
        if entry
            .policy
            .max_runs
            .is_some_and(|max| state.total_run_count >= max)
        {
            return;
        }
        if let Some(slot) = entry.next_after(state.last_slot) {
            self.due.push(Reverse((entry.due(slot), index)));
        }
    }
}

/// All records of entries that can be read.
pub(crate) fn read_states(stored: Vec<(String, Bytes)>) -> States {
    let records = stored
        .into_iter()
        .filter(|(key, _)| entry_name(key).is_some());
    records
        .map(|(key, record)| {
            let state = decode(&key, &record).unwrap_or_else(EntryState::unreadable);
            (key, state)
        })
        .collect()
}

/// What an entry goes on with: its record, if that is about this schedule; otherwise it begins now.
pub(crate) fn adopted(entry: &Entry, known: Option<EntryState>, now: Timestamp) -> EntryState {
    let Some(mut state) = known.filter(|state| state.timing == entry.timing()) else {
        return EntryState {
            disabled: !entry.enabled,
            ..EntryState::new(entry, now)
        };
    };
    let is_enabled_now = state.disabled && entry.enabled;
    if is_enabled_now && !entry.policy.catch_up {
        state.last_slot = state.last_slot.max(now);
    }
    state.disabled = !entry.enabled;
    state
}

/// How late a slot is, jitter left out.
pub(crate) fn lateness(entry: &Entry, slot: Timestamp, now: Timestamp) -> Duration {
    let late = now
        .duration_since(entry.due(slot))
        .max(SignedDuration::ZERO);
    Duration::try_from(late).unwrap_or_default()
}

#[cfg(test)]
mod tests;

//! The plan: which entry is looked at next, and which slot a due entry runs for. What an entry has done lies on the broker alone, so
//! the plan of a million entries is small and does not grow while they run. No waiting and no sending here.

mod slots;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::known::Named;
use crate::state::HISTORY;
use crate::{Entry, EntryState};

/// So many slots are remembered of all entries together: a large schedule remembers fewer of each.
const HISTORY_OF_ALL: usize = 2_000_000;

/// Where an entry stands in the plan.
pub(crate) type Place = u32;

#[derive(Debug)]
struct Planned {
    entry: Arc<Entry>,
    /// When it is looked at next; what else the heap says of it is outdated.
    due: Option<Timestamp>,
}

/// One entry that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) place: Place,
    /// What it has done so far.
    pub(crate) state: EntryState,
    /// The slot that it runs for.
    pub(crate) slot: Timestamp,
    /// How many earlier slots have passed without a run.
    pub(crate) missed: u64,
    /// Whether the slot is later than its entry allows.
    pub(crate) is_late: bool,
}

/// All entries by the time they are looked at.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// `None` where an entry has gone.
    planned: Vec<Option<Planned>>,
    places: HashMap<Named, Place>,
    free: Vec<Place>,
    due: BinaryHeap<Reverse<(Timestamp, Place)>>,
    enabled: usize,
}

impl Plan {
    /// A plan of these entries, whose names differ. When they are looked at is not known yet.
    pub(crate) fn of(entries: Vec<Arc<Entry>>) -> Self {
        let mut plan = Self {
            planned: Vec::with_capacity(entries.len()),
            places: HashMap::with_capacity(entries.len()),
            due: BinaryHeap::with_capacity(entries.len()),
            ..Self::default()
        };
        for entry in entries {
            plan.add(entry);
        }
        plan
    }

    /// Takes an entry in, in place of what had its name. When it is looked at is not known yet.
    pub(crate) fn put(&mut self, entry: Arc<Entry>) {
        self.remove(&entry.name);
        self.add(entry);
    }

    fn add(&mut self, entry: Arc<Entry>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.planned.push(None);
            Place::try_from(self.planned.len() - 1).expect("entries fit the memory")
        });
        self.enabled += usize::from(entry.enabled);
        self.places.insert(Named(Arc::clone(&entry)), place);
        self.planned[place as usize] = Some(Planned { entry, due: None });
    }

    /// Leaves an entry out.
    pub(crate) fn remove(&mut self, name: &str) {
        let Some(place) = self.places.remove(name) else {
            return;
        };
        if let Some(gone) = self.planned[place as usize].take() {
            self.enabled -= usize::from(gone.entry.enabled);
        }
        self.free.push(place);
        self.forget_outdated();
    }

    /// Entries that are changed again and again must not fill the heap.
    fn forget_outdated(&mut self) {
        if self.due.len() > 2 * self.planned.len() {
            let mut due = std::mem::take(&mut self.due);
            due.retain(|Reverse(item)| self.is_current(*item));
            self.due = due;
        }
    }

    fn is_current(&self, (due, place): (Timestamp, Place)) -> bool {
        let planned = self.planned[place as usize].as_ref();
        planned.is_some_and(|planned| planned.due == Some(due))
    }

    /// How many places there are, those of entries that have gone included.
    pub(crate) fn places(&self) -> usize {
        self.planned.len()
    }

    /// How many entries are sent.
    pub(crate) fn len(&self) -> usize {
        self.enabled
    }

    /// How many slots of each entry are remembered.
    pub(crate) fn history(&self) -> usize {
        (HISTORY_OF_ALL / self.places.len().max(1)).clamp(1, HISTORY)
    }

    /// Where the entry of this name stands.
    pub(crate) fn find(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied()
    }

    /// The entry of a place; `None` when it has gone.
    pub(crate) fn entry(&self, place: Place) -> Option<&Arc<Entry>> {
        let planned = self.planned[place as usize].as_ref();
        planned.map(|planned| &planned.entry)
    }

    /// The entry of a run.
    pub(crate) fn entry_of(&self, run: &Run) -> &Arc<Entry> {
        self.entry(run.place)
            .expect("no entry goes between its run and what becomes of it")
    }

    /// When the next entry is looked at.
    pub(crate) fn next_due(&mut self) -> Option<Timestamp> {
        while let Some(Reverse(item)) = self.due.peek() {
            if self.is_current(*item) {
                return Some(item.0);
            }
            self.due.pop();
        }
        None
    }

    /// Takes up to `max` entries whose time has come, soonest first. Each is planned again by [`Plan::look_at`].
    pub(crate) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Place> {
        let mut places = Vec::new();
        while places.len() < max && self.next_due().is_some_and(|due| due <= now) {
            if let Some(Reverse((_, place))) = self.due.pop() {
                self.planned[place as usize]
                    .iter_mut()
                    .for_each(|planned| planned.due = None);
                places.push(place);
            }
        }
        places
    }

    /// The entry of this place, if it has not gone, is looked at then, or not at all.
    pub(crate) fn look_at(&mut self, place: Place, due: Option<Timestamp>) {
        if let Some(planned) = &mut self.planned[place as usize] {
            planned.due = due;
            self.due.extend(due.map(|due| Reverse((due, place))));
        }
    }
}

impl Run {
    /// What an entry runs for now; `None` when it is not due. `deadline` is `beat_cron_starting_deadline`.
    pub(crate) fn choose(
        place: Place,
        entry: &Entry,
        state: EntryState,
        now: Timestamp,
        deadline: Option<Duration>,
    ) -> Option<Self> {
        if !may_run(entry, state.total_run_count) {
            return None;
        }
        let (slot, missed) = slots::choose(entry, state.last_slot, now)?;
        let is_late = entry
            .window(deadline)
            .is_some_and(|window| lateness(entry, slot, now) > window);
        Some(Self {
            place,
            state,
            slot,
            missed,
            is_late,
        })
    }
}

/// When an entry is due that has dealt with this slot and has run so often.
pub(crate) fn due(entry: &Entry, last_slot: Timestamp, runs: u64) -> Option<Timestamp> {
    if !may_run(entry, runs) {
        return None;
    }
    let slot = entry.next_after(last_slot)?;
    Some(entry.due(slot))
}

fn may_run(entry: &Entry, runs: u64) -> bool {
    entry.enabled && entry.policy.max_runs.is_none_or(|most| runs < most)
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

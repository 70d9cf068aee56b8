//! The leader's plan: which entry is due next, and which slot a due entry runs for. No waiting and no sending here.

mod slots;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::known::Change;
use crate::state::{HISTORY, decode, encode, entry_key, entry_name};
use crate::{Entry, EntryState, bulk};

/// Records to write; `None` deletes.
pub(crate) type Writes = Vec<(String, Option<Bytes>)>;

/// What is known of entries, by their names.
pub(crate) type States = HashMap<String, EntryState>;

/// So many slots are remembered of all entries together: a large schedule remembers fewer of each.
const HISTORY_OF_ALL: usize = 2_000_000;

/// An entry with what is known of its runs.
#[derive(Debug)]
struct Planned {
    entry: Arc<Entry>,
    state: EntryState,
    /// When it is looked at next; what else the heap says of it is outdated.
    due: Option<Timestamp>,
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
    /// `None` where an entry has gone.
    planned: Vec<Option<Planned>>,
    places: HashMap<String, usize>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
    enabled: usize,
    /// `beat_cron_starting_deadline`.
    deadline: Option<Duration>,
}

impl Plan {
    /// Joins entries with their records. Returns what must be written: records that begin anew or change, and the deletion of records that
    /// belong to no entry.
    pub(crate) fn begin(
        entries: Vec<Arc<Entry>>,
        mut known: States,
        now: Timestamp,
        deadline: Option<Duration>,
    ) -> (Self, Writes) {
        let with_states: Vec<_> = entries
            .into_iter()
            .map(|entry| (known.remove(&entry.name), entry))
            .collect();
        let adopted = bulk::map(with_states, |(before, entry)| {
            let (state, write) = adopt(&entry, before, now);
            (Planned::new(entry, state), write)
        });
        let mut plan = Self {
            deadline,
            ..Self::default()
        };
        let mut writes = Writes::new();
        for (planned, write) in adopted {
            writes.extend(write);
            plan.put(planned);
        }
        writes.extend(known.into_keys().map(|name| (entry_key(&name), None)));
        (plan, writes)
    }

    /// Follows a change of the schedule. Returns what must be written.
    pub(crate) fn change(
        &mut self,
        change: Change,
        now: Timestamp,
    ) -> Option<(String, Option<Bytes>)> {
        match change {
            Change::Put(entry) => {
                let before = self.take(&entry.name).map(|planned| planned.state);
                let (state, write) = adopt(&entry, before, now);
                self.put(Planned::new(entry, state));
                write
            }
            Change::Gone(name) => {
                self.take(&name)?;
                Some((entry_key(&name), None))
            }
        }
    }

    fn put(&mut self, planned: Planned) {
        let index = self.free.pop().unwrap_or(self.planned.len());
        self.enabled += usize::from(planned.entry.enabled);
        self.places.insert(planned.entry.name.clone(), index);
        self.due
            .extend(planned.due.map(|due| Reverse((due, index))));
        if index == self.planned.len() {
            self.planned.push(Some(planned));
        } else {
            self.planned[index] = Some(planned);
        }
    }

    fn take(&mut self, name: &str) -> Option<Planned> {
        let index = self.places.remove(name)?;
        let planned = self.planned[index].take()?;
        self.enabled -= usize::from(planned.entry.enabled);
        self.free.push(index);
        self.forget_outdated();
        Some(planned)
    }

    /// Entries that are changed again and again must not fill the heap.
    fn forget_outdated(&mut self) {
        if self.due.len() > 2 * self.planned.len() {
            let mut due = std::mem::take(&mut self.due);
            due.retain(|Reverse(item)| self.is_current(*item));
            self.due = due;
        }
    }

    fn is_current(&self, (due, index): (Timestamp, usize)) -> bool {
        let planned = self.planned[index].as_ref();
        planned.is_some_and(|planned| planned.due == Some(due))
    }

    /// How many entries it sends.
    pub(crate) fn len(&self) -> usize {
        self.enabled
    }

    /// How many slots of each entry are remembered.
    pub(crate) fn history(&self) -> usize {
        (HISTORY_OF_ALL / self.places.len().max(1)).clamp(1, HISTORY)
    }

    /// When the next entry is due.
    pub(crate) fn next_due(&mut self) -> Option<Timestamp> {
        while let Some(Reverse(item)) = self.due.peek() {
            if self.is_current(*item) {
                return Some(item.0);
            }
            self.due.pop();
        }
        None
    }

    /// Takes up to `max` entries that are due, soonest first. Each is planned again by [`Plan::record`] or [`Plan::postpone`].
    pub(crate) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        while runs.len() < max && self.next_due().is_some_and(|due| due <= now) {
            if let Some(Reverse((_, index))) = self.due.pop() {
                self.at(index).due = None;
                runs.extend(self.run(index, now));
            }
        }
        runs
    }

    fn run(&mut self, index: usize, now: Timestamp) -> Option<Run> {
        let deadline = self.deadline;
        let Planned { entry, state, .. } = self.at(index);
        let (slot, missed) = slots::choose(entry, state.last_slot, now)?;
        let is_late = entry
            .window(deadline)
            .is_some_and(|window| lateness(entry, slot, now) > window);
        Some(Run {
            index,
            slot,
            missed,
            is_late,
        })
    }

    /// The entry of a run.
    pub(crate) fn entry(&self, run: &Run) -> &Arc<Entry> {
        &self.of(run).entry
    }

    /// What is remembered of a run's entry.
    pub(crate) fn state(&self, run: &Run) -> &EntryState {
        &self.of(run).state
    }

    /// Records what the broker remembers now, and plans the next run.
    pub(crate) fn record(&mut self, run: &Run, state: EntryState) {
        let planned = self.at(run.index);
        planned.state = state;
        planned.due = planned.next();
        let due = planned.due;
        self.due.extend(due.map(|due| Reverse((due, run.index))));
    }

    /// Looks at the entry again at this time; its slots up to then count as missed but for the latest.
    pub(crate) fn postpone(&mut self, run: &Run, until: Timestamp) {
        self.at(run.index).due = Some(until);
        self.due.push(Reverse((until, run.index)));
    }

    fn of(&self, run: &Run) -> &Planned {
        let planned = self.planned[run.index].as_ref();
        planned.expect("no entry goes between its run and what becomes of it")
    }

    fn at(&mut self, index: usize) -> &mut Planned {
        let planned = self.planned[index].as_mut();
        planned.expect("what is due has not gone, and nothing goes while it is dealt with")
    }
}

impl Planned {
    fn new(entry: Arc<Entry>, state: EntryState) -> Self {
        let mut planned = Self {
            entry,
            state,
            due: None,
        };
        planned.due = planned.next();
        planned
    }

    /// When it is due.
    fn next(&self) -> Option<Timestamp> {
        let Self { entry, state, .. } = self;
        let most = entry.policy.max_runs;
        if !entry.enabled || most.is_some_and(|most| state.total_run_count >= most) {
            return None;
        }
        let slot = entry.next_after(state.last_slot)?;
        Some(entry.due(slot))
    }
}

/// All records of entries that can be read.
pub(crate) fn read_states(stored: Vec<(String, Bytes)>) -> States {
    let states = bulk::map(stored, |(key, record)| {
        let name = entry_name(&key)?.to_owned();
        let state = decode(&key, &record).unwrap_or_else(EntryState::unreadable);
        Some((name, state))
    });
    states.into_iter().flatten().collect()
}

/// What an entry goes on with, and its record if that must be written.
fn adopt(
    entry: &Entry,
    before: Option<EntryState>,
    now: Timestamp,
) -> (EntryState, Option<(String, Option<Bytes>)>) {
    let state = adopted(entry, before.as_ref(), now);
    let write =
        (before.as_ref() != Some(&state)).then(|| (entry_key(&entry.name), Some(encode(&state))));
    (state, write)
}

/// What an entry goes on with: its record, if that is about this schedule, joined with what its source knows; otherwise it begins now, or
/// where its source says.
pub(crate) fn adopted(entry: &Entry, known: Option<&EntryState>, now: Timestamp) -> EntryState {
    let disabled = !entry.enabled;
    let Some(same) = known.filter(|state| state.timing == entry.timing()) else {
        let state = match &entry.kept {
            Some(kept) => kept.begin(entry, known, now),
            None => EntryState::new(entry, now),
        };
        return EntryState { disabled, ..state };
    };
    let mut state = same.clone();
    if let Some(kept) = &entry.kept {
        state = kept.join(state, now);
    }
    let is_enabled_now = state.disabled && entry.enabled;
    if is_enabled_now && !entry.policy.catch_up {
        state.last_slot = state.last_slot.max(now);
    }
    state.disabled = disabled;
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

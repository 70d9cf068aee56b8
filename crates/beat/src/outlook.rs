//! What a beat knows whether it leads or not: the plan, which records do not show yet what the schedule says, and which
//! entries' records must be looked at again. It reads; what is written is the leader's affair.
//!
//! A standby goes through the same plan as the leader: where the leader sends, it reads the record a moment later. So it can
//! follow at any time without reading more than what has become due since, however many entries there are.

mod reading;
mod settling;
mod standing_by;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use broker::Result;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::beat::Beat;
use crate::following::Following;
use crate::known::Change;
use crate::plan::{Place, Plan, Run, due};
use crate::state::{SPACE, entry_key};
use crate::{Entry, EntryState, adopt};

/// The plan and what is open.
#[derive(Debug)]
pub(crate) struct Outlook {
    pub(crate) plan: Plan,
    pub(crate) following: Following,
    /// Changes that the records may not show yet. Their entries are not due before they do.
    unsettled: VecDeque<Change>,
    /// Taken from the plan, and what became of them is not known.
    waiting: Vec<Place>,
    /// Whether a beat has led with these records: then its heartbeat lies beside them, or the broker has forgotten all of them.
    pub(crate) has_leader: bool,
    /// When a standby looks again at what waits, and how many of the unsettled it looks at until then.
    again_at: Instant,
    to_settle: usize,
}

impl Outlook {
    /// Takes up to so many changes of the schedule, after a look if it is time.
    pub(crate) async fn follow(&mut self, beat: &Beat, most: usize) {
        self.following.look(beat.known()).await;
        for change in self.following.take(most) {
            beat.keeper().forget(change.name());
            match &change {
                Change::Put(entry) => self.plan.put(entry.clone()),
                Change::Gone(name) => self.plan.remove(name),
            }
            self.unsettled.push_back(change);
        }
    }

    /// Whether there is something to do that does not depend on the time.
    pub(crate) fn is_busy(&self) -> bool {
        self.following.has_changes() || !self.unsettled.is_empty()
    }

    /// From now on this beat leads: nobody else deals with what waits.
    pub(crate) fn take_over(&mut self, now: Timestamp) {
        for place in std::mem::take(&mut self.waiting) {
            self.plan.look_at(place, Some(now));
        }
    }

    /// The runs of up to so many entries that are due. They are [`Outlook::dealt_with`] afterwards; until then they wait.
    pub(crate) async fn take_runs(
        &mut self,
        beat: &Beat,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        for (place, state) in self.take_due(beat, now, most).await? {
            let Some(entry) = self.plan.entry(place) else {
                continue;
            };
            let (last, count) = (state.last_slot, state.total_run_count);
            match Run::choose(place, entry, state, now, beat.deadline()) {
                Some(run) => {
                    runs.push(run);
                    self.waiting.push(place);
                }
                None => {
                    let due = due(entry, last, count);
                    self.plan.look_at(place, due);
                }
            }
        }
        Ok(runs)
    }

    /// What was taken is sent, planned again, or left out.
    pub(crate) fn dealt_with(&mut self) {
        self.waiting.clear();
    }

    /// Takes up to so many entries whose time has come, with what they have done. Those whose record says nothing of their
    /// schedule are unsettled.
    async fn take_due(
        &mut self,
        beat: &Beat,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<(Place, EntryState)>> {
        let places = self.plan.take_due(now, most);
        let before = self.waiting.len();
        // They wait for as long as their records are on the way, and beyond if these do not come.
        self.waiting.extend(&places);
        let records = self.records(beat, &places).await?;
        self.waiting.truncate(before);
        let mut taken = Vec::with_capacity(places.len());
        for (place, record) in places.into_iter().zip(records) {
            let Some(entry) = self.plan.entry(place) else {
                continue;
            };
            match state_of(entry, record.as_ref()) {
                Some(state) => {
                    beat.keeper().note_if_behind(entry, &state);
                    taken.push((place, state));
                }
                None => self.unsettled.push_back(Change::Put(entry.clone())),
            }
        }
        Ok(taken)
    }

    async fn records(&self, beat: &Beat, places: &[Place]) -> Result<Vec<Option<Bytes>>> {
        let name = |place: &Place| self.plan.entry(*place).map_or("", |entry| &entry.name);
        let keys: Vec<String> = places.iter().map(|place| entry_key(name(place))).collect();
        match keys.is_empty() {
            true => Ok(Vec::new()),
            false => beat.coordinator().fetch(SPACE, &keys).await,
        }
    }
}

/// What an entry has done, if its record is about its schedule.
fn state_of(entry: &Entry, record: Option<&Bytes>) -> Option<EntryState> {
    let state = adopt::read(&entry.name, record?);
    (state.timing == entry.timing()).then_some(state)
}

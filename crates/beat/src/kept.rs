//! What a source knows of an entry's runs, and how that joins what is remembered on the broker. So an entry that another scheduler
//! ran, Celery's DatabaseScheduler, goes on after its last run, and its owner's resets are followed. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Schedule;
use crate::{Entry, EntryState};

/// How far another machine's clock may be ahead. A last run beyond that is nonsense, and counts as now.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
const TICK: SignedDuration = SignedDuration::from_micros(1);

/// An entry's last run, as a source keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The entry's name.
    pub name: String,
    /// When it was sent; never earlier than its slot.
    pub last_run_at: Timestamp,
    /// How often it was sent.
    pub total_run_count: u64,
}

/// What a source has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// When the entry was last edited.
    pub changed_at: Timestamp,
    /// Its last run; none when it never ran, or was disabled since.
    pub last_run_at: Option<Timestamp>,
    /// How often it ran.
    pub total_run_count: u64,
}

impl Kept {
    /// What an entry begins with that is not remembered on the broker, or with another schedule.
    pub(crate) fn begin(
        &self,
        entry: &Entry,
        before: Option<&EntryState>,
        now: Timestamp,
    ) -> EntryState {
        let last_slot = match (self.newer_run(before), before) {
            (Some(run), _) => run,
            (None, Some(_)) => now,
            (None, None) => self.first_begin(entry),
        };
        EntryState {
            last_slot: not_beyond(last_slot, now),
            last_run_at: self.last_run_at,
            total_run_count: self.total_run_count,
            ..EntryState::new(entry, now)
        }
    }

    /// What an entry goes on with that is remembered.
    pub(crate) fn join(&self, mut state: EntryState, now: Timestamp) -> EntryState {
        let reset = self.last_run_at.is_none()
            && state.last_run_at.is_some_and(|run| run < self.changed_at);
        if let Some(run) = self.newer_run(Some(&state)) {
            state.last_slot = state.last_slot.max(not_beyond(run, now));
            state.last_run_at = Some(run);
            state.total_run_count = self.total_run_count;
        } else if reset {
            state.last_slot = state.last_slot.max(not_beyond(self.changed_at, now));
            state.last_run_at = None;
            state.total_run_count = self.total_run_count;
        } else if !self.is_behind(&state) {
            state.total_run_count = self.total_run_count;
        }
        state
    }

    /// Whether the broker remembers a run that the source has not heard of.
    pub(crate) fn is_behind(&self, state: &EntryState) -> bool {
        let remembered = state.last_run_at.map(Timestamp::as_microsecond);
        remembered > self.last_run_at.map(Timestamp::as_microsecond)
    }

    /// The last run, if it is later than the one that is remembered. Sources keep microseconds.
    fn newer_run(&self, state: Option<&EntryState>) -> Option<Timestamp> {
        let remembered = state.and_then(|state| state.last_run_at);
        self.last_run_at
            .filter(|run| Some(run.as_microsecond()) > remembered.map(Timestamp::as_microsecond))
    }

    /// Slots after the last edit are its business; as in Celery also the one time of a clocked entry, if that is over already.
    fn first_begin(&self, entry: &Entry) -> Timestamp {
        match &entry.timetable.schedule {
            Schedule::Clocked(clocked) => self.changed_at.min(clocked.at() - TICK),
            _ => self.changed_at,
        }
    }
}

fn not_beyond(at: Timestamp, now: Timestamp) -> Timestamp {
    if at > now.saturating_add(SKEW).unwrap_or(Timestamp::MAX) {
        now
    } else {
        at
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Map, from_value, to_value};
    use serde_json::json;

    use super::*;
    use crate::ScheduleFile;
    use crate::adopt::adopted;

    fn at(minutes: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_mins(minutes)
    }

    fn entry(schedule: &serde_json::Value, kept: (i64, Option<i64>, u64)) -> Entry {
        let entries = json!({"tick": {"task": "t", "schedule": schedule}});
        let map: Map = from_value(to_value(&entries).unwrap()).unwrap();
        let entry = ScheduleFile::read(&map, "UTC").entries.remove(0);
        let (changed_at, last_run_at, total_run_count) = kept;
        Entry {
            kept: Some(Box::new(Kept {
                changed_at: at(changed_at),
                last_run_at: last_run_at.map(at),
                total_run_count,
            })),
            ..entry
        }
    }

    fn hourly(changed_at: i64, last_run_at: Option<i64>, count: u64) -> Entry {
        entry(&json!({"every": "1h"}), (changed_at, last_run_at, count))
    }

    #[test]
    fn an_entry_that_nobody_remembers_goes_on_where_its_source_says() {
        let state = adopted(&hourly(-500, Some(-50), 7), None, at(0));
        assert_eq!((state.last_slot, state.total_run_count), (at(-50), 7));
        let state = adopted(&hourly(-500, None, 0), None, at(0));
        assert_eq!((state.last_slot, state.last_run_at), (at(-500), None));
    }

    #[test]
    fn a_clocked_entry_whose_time_is_over_runs_once_as_in_celery() {
        let clocked = entry(&json!({"clocked": at(-60)}), (-1, None, 0));
        let state = adopted(&clocked, None, at(0));
        assert_eq!(state.last_slot, at(-60) - TICK);
    }

    #[test]
    fn another_schedulers_later_run_is_gone_on_from() {
        let state = adopted(&hourly(-500, Some(-90), 3), None, at(0));
        let joined = adopted(&hourly(-500, Some(-30), 4), Some(&state), at(0));
        assert_eq!((joined.last_slot, joined.total_run_count), (at(-30), 4));
        let nonsense = adopted(&hourly(-500, Some(600), 4), Some(&state), at(0));
        assert_eq!(
            nonsense.last_slot,
            at(0),
            "a last run to come counts as now"
        );
    }

    #[test]
    fn a_source_that_lags_behind_changes_nothing() {
        let state = adopted(&hourly(-500, Some(-30), 4), None, at(0));
        for last_run_at in [Some(-90), None] {
            let entry = hourly(-500, last_run_at, 3);
            assert!(entry.kept.as_ref().unwrap().is_behind(&state));
            assert_eq!(adopted(&entry, Some(&state), at(0)), state);
        }
    }

    #[test]
    fn an_entry_that_was_reset_after_its_last_run_begins_at_the_edit() {
        let state = adopted(&hourly(-500, Some(-30), 1), None, at(0));
        let reset = adopted(&hourly(-10, None, 0), Some(&state), at(0));
        assert_eq!((reset.last_slot, reset.total_run_count), (at(-10), 0));
        assert_eq!(reset.last_run_at, None);
    }

    #[test]
    fn a_changed_schedule_begins_now_unless_it_ran_elsewhere() {
        let state = adopted(&hourly(-500, Some(-90), 3), None, at(0));
        let daily = |last_run_at| entry(&json!({"every": "24h"}), (-5, last_run_at, 3));
        assert_eq!(
            adopted(&daily(Some(-90)), Some(&state), at(0)).last_slot,
            at(0)
        );
        assert_eq!(
            adopted(&daily(Some(-20)), Some(&state), at(0)).last_slot,
            at(-20)
        );
    }
}

//! One entry of the schedule: what is sent, and when.

use std::sync::Arc;
use std::time::Duration;

use client::{CallOptions, Client, ClientError, Prepared, TaskCall};
use jiff::{SignedDuration, Timestamp};
use protocol::{Map, Value};
use uuid::Uuid;

use crate::schedule::Schedule;
use crate::{Kept, Policy, Timetable};

/// What task ids of scheduled runs are derived under.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0d_1b52_7c3a_5e6e_9a41_64f1_0c5d_2b97);

/// Celery counts microseconds; so do slots.
const TICK: SignedDuration = SignedDuration::from_micros(1);

/// One entry. There may be a million, so what many have in common is shared, and what few have lies elsewhere.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, unique in the schedule.
    pub name: String,
    /// The task's registered name.
    pub task: Arc<str>,
    /// When it runs.
    pub timetable: Arc<Timetable>,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Map,
    /// How it is sent. Entries that say nothing of it share one.
    pub options: Arc<CallOptions>,
    /// Whether it runs at all.
    pub enabled: bool,
    /// What its owner decided beside the schedule. Entries that decide nothing share one.
    pub policy: Arc<Policy>,
    /// What its source knows of its runs, if that is a source which keeps them.
    pub kept: Option<Box<Kept>>,
}

impl Entry {
    /// The first slot after `last`.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        let next = match self.policy.start {
            Some(start) if last < start => self.first_from(start)?,
            _ => self.slot_after(last)?,
        };
        self.policy
            .end
            .is_none_or(|end| next <= end)
            .then_some(next)
    }

    /// The first slot at this time or later. An interval's grid begins there.
    fn first_from(&self, start: Timestamp) -> Option<Timestamp> {
        match self.timetable.schedule {
            Schedule::Interval(_) => Some(start),
            _ => self.slot_after(start - TICK),
        }
    }

    fn slot_after(&self, last: Timestamp) -> Option<Timestamp> {
        let Timetable { schedule, zone, .. } = &*self.timetable;
        schedule.next_after(last, zone)
    }

    /// How late a slot may be sent; `deadline` is `beat_cron_starting_deadline`, which holds for crontabs.
    pub(crate) fn window(&self, deadline: Option<Duration>) -> Option<Duration> {
        let is_crontab = matches!(self.timetable.schedule, Schedule::Crontab(_));
        let deadline = deadline.filter(|_| is_crontab);
        self.policy.window().or(deadline)
    }

    /// When a slot is sent: later by its jitter.
    pub fn due(&self, slot: Timestamp) -> Timestamp {
        let most = self.policy.jitter.as_millis();
        if most == 0 {
            return slot;
        }
        let share = self.slot_id(slot).as_u128() % most;
        // A part of the jitter, which is a number of seconds that a setting can hold.
        let jitter = Duration::from_millis(u64::try_from(share).unwrap_or_default());
        slot.saturating_add(jitter).unwrap_or(slot)
    }

    /// Schedule and zone as text. When it changes, earlier runs say nothing about the next one.
    pub fn timing(&self) -> &str {
        self.timetable.text()
    }

    /// Whether everything about them is the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.task == other.task
            && self.enabled == other.enabled
            && self.args == other.args
            && self.kwargs == other.kwargs
            && self.options == other.options
            && self.policy == other.policy
            && self.timing() == other.timing()
            && self.edited_at() == other.edited_at()
    }

    /// When it was last edited, if its source says so.
    fn edited_at(&self) -> Option<Timestamp> {
        self.kept.as_ref().map(|kept| kept.changed_at)
    }

    /// The id of the task that runs for this slot: the same whoever sends it.
    pub fn task_id(&self, slot: Timestamp) -> String {
        self.slot_id(slot).to_string()
    }

    fn slot_id(&self, slot: Timestamp) -> Uuid {
        let text = format!("{}\0{}", self.name, slot.as_nanosecond());
        Uuid::new_v5(&NAMESPACE, text.as_bytes())
    }

    /// The message for a slot, with the headers by which Celery and its monitors know a scheduled task.
    ///
    /// # Errors
    /// When an argument or option cannot be encoded.
    pub(crate) fn prepare(
        &self,
        client: &Client,
        slot: Timestamp,
    ) -> Result<Prepared, ClientError> {
        client.prepare(self.call(self.task_id(slot)))
    }

    /// The call that the entry makes, under this id.
    pub fn call(&self, task_id: String) -> TaskCall {
        let mut options = CallOptions {
            task_id: Some(task_id),
            ..CallOptions::clone(&self.options)
        };
        options.headers.insert("celery_beat_task", true);
        options
            .headers
            .insert("periodic_task_name", self.name.as_str());
        TaskCall {
            task: self.task.as_ref().to_owned(),
            args: self.args.clone(),
            kwargs: self.kwargs.clone(),
            options,
        }
    }
}

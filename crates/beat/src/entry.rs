//! One entry of the schedule: what is sent, and when.

use client::{CallOptions, Client, ClientError, Prepared, TaskCall};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::{Map, Value};
use uuid::Uuid;

use crate::schedule::Schedule;

/// What task ids of scheduled runs are derived under.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0d_1b52_7c3a_5e6e_9a41_64f1_0c5d_2b97);

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, unique in the schedule.
    pub name: String,
    /// The task's registered name.
    pub task: String,
    /// When it runs.
    pub schedule: Schedule,
    /// Where the schedule's wall clock hangs.
    pub zone: TimeZone,
    /// The zone's IANA name.
    pub zone_name: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Map,
    /// How it is sent.
    pub options: CallOptions,
    /// Whether it runs at all.
    pub enabled: bool,
}

impl Entry {
    /// The first run after `last`.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(last, &self.zone)
    }

    /// Schedule and zone as text. When it changes, earlier runs say nothing about the next one.
    pub fn timing(&self) -> String {
        format!("{} [{}]", self.schedule, self.zone_name)
    }

    /// The id of the task that runs for this slot: the same whoever sends it.
    pub fn task_id(&self, slot: Timestamp) -> String {
        let text = format!("{}\0{}", self.name, slot.as_nanosecond());
        Uuid::new_v5(&NAMESPACE, text.as_bytes()).to_string()
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
        let mut options = CallOptions {
            task_id: Some(self.task_id(slot)),
            ..self.options.clone()
        };
        options.headers.insert("celery_beat_task", true);
        options
            .headers
            .insert("periodic_task_name", self.name.as_str());
        let (task, args, kwargs) = (self.task.clone(), self.args.clone(), self.kwargs.clone());
        client.prepare(TaskCall {
            task,
            args,
            kwargs,
            options,
        })
    }
}

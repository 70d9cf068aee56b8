//! Events: what clients and workers tell monitors.

mod clock;
mod task;
mod wire;
mod worker;

pub use clock::LamportClock;
pub use task::{TaskReceived, TaskSent};
pub use worker::{Heartbeat, Software};

use crate::value::{Key, Map, Value};

/// The exchange events go to.
pub const EXCHANGE: &str = "celeryev";

/// One event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// The type on the wire, such as `task-received`.
    pub kind: Key,
    /// Epoch seconds.
    pub timestamp: f64,
    /// Node name of the sender.
    pub hostname: Key,
    /// Process id of the sender.
    pub pid: Option<i64>,
    /// Hours west of UTC.
    pub utcoffset: Option<f64>,
    /// Lamport clock of the sender.
    pub clock: Option<i64>,
    /// The fields of this type.
    pub fields: Map,
}

/// Who sends an event, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp<'a> {
    /// Node name of the sender.
    pub hostname: &'a str,
    /// Process id of the sender.
    pub pid: u32,
    /// Hours west of UTC.
    pub utcoffset: f64,
    /// Lamport clock after [`LamportClock::forward`].
    pub clock: u64,
    /// Epoch seconds.
    pub timestamp: f64,
}

impl Event {
    /// An event of any type.
    pub fn new(stamp: Stamp<'_>, kind: &str, fields: Map) -> Self {
        Self {
            kind: kind.into(),
            timestamp: stamp.timestamp,
            hostname: stamp.hostname.into(),
            pid: Some(i64::from(stamp.pid)),
            utcoffset: Some(stamp.utcoffset),
            clock: i64::try_from(stamp.clock).ok(),
            fields,
        }
    }

    /// The text field `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// The routing key of this type: `task-sent` goes to `task.sent`.
    pub fn routing_key(&self) -> Key {
        let dotted = |letter| if letter == '-' { '.' } else { letter };
        self.kind.chars().map(dotted).collect()
    }

    /// The part of the type before the first dash: `task` or `worker`.
    pub fn group(&self) -> &str {
        self.kind.split('-').next().unwrap_or(&self.kind)
    }
}

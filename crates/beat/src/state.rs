//! What beat remembers on the broker: one small JSON record for each entry, and a heartbeat.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Entry;

/// The lease that the leader holds.
pub const LEASE: &str = "celeriac.beat";
/// The coordinator's space that the records lie in.
pub const SPACE: &str = "celeriac.beat";

pub(crate) const HEARTBEAT: &str = "beat:heartbeat";
const ENTRY: &str = "entry:";

/// What is remembered of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryState {
    /// Schedule and zone that the rest belongs to.
    pub timing: String,
    /// The latest slot that was dealt with; for a new entry when it was first seen.
    pub last_slot: Timestamp,
    /// When it was last sent.
    pub last_run_at: Option<Timestamp>,
    /// How often it was sent.
    pub total_run_count: u64,
    /// How many slots passed without a run because no beat could send.
    pub missed: u64,
}

impl EntryState {
    /// An entry that is seen for the first time: only slots after now are its business.
    pub(crate) fn new(entry: &Entry, now: Timestamp) -> Self {
        Self {
            timing: entry.timing(),
            last_slot: now,
            last_run_at: None,
            total_run_count: 0,
            missed: 0,
        }
    }
}

/// That a beat leads and moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When it was written, by the leader's clock.
    pub at: Timestamp,
    /// The leader's name.
    pub name: String,
    /// How many entries it sends.
    pub entries: usize,
}

/// The key of an entry's record.
pub(crate) fn entry_key(name: &str) -> String {
    format!("{ENTRY}{name}")
}

/// The entry's name, if the key is that of an entry's record.
pub(crate) fn entry_name(key: &str) -> Option<&str> {
    key.strip_prefix(ENTRY)
}

pub(crate) fn encode<T: Serialize>(record: &T) -> Bytes {
    serde_json::to_vec(record)
        .expect("times, texts and numbers have a JSON form")
        .into()
}

/// A record; one that cannot be read is as good as none, and the log says so.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(key: &str, record: &[u8]) -> Option<T> {
    serde_json::from_slice(record)
        .inspect_err(|error| tracing::warn!(key, %error, "a record of beat cannot be read and is begun anew"))
        .ok()
}

//! What beat remembers on the broker: one small JSON record for each entry, and a heartbeat.

use std::borrow::Cow;

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

/// How many slots an entry's record remembers at most; fewer in a schedule of very many entries.
pub const HISTORY: usize = 20;

/// A record to write; `None` deletes.
pub(crate) type Write = (String, Option<Bytes>);
/// Records to write.
pub(crate) type Writes = Vec<Write>;

/// What is remembered of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryState {
    /// Schedule and zone that the rest belongs to.
    pub timing: String,
    /// The latest slot that was dealt with; for a new entry when it was first seen.
    pub last_slot: Timestamp,
    /// When it was last sent.
    pub last_run_at: Option<Timestamp>,
    /// The slot that it was last sent for.
    #[serde(default)]
    pub last_run_slot: Option<Timestamp>,
    /// How often it was sent.
    pub total_run_count: u64,
    /// How many slots passed without a run.
    pub missed: u64,
    /// Whether the entry was disabled when beat last saw it.
    #[serde(default)]
    pub disabled: bool,
    /// Why its last slot could not be sent, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The latest slots that were dealt with, oldest first; at most [`HISTORY`].
    #[serde(default)]
    pub history: Vec<Slot>,
}

/// As much of a record as the plan needs.
#[derive(Debug, Deserialize)]
pub(crate) struct Brief<'r> {
    #[serde(borrow)]
    timing: Cow<'r, str>,
    pub(crate) last_slot: Timestamp,
    pub(crate) total_run_count: u64,
    #[serde(default)]
    disabled: bool,
}

impl<'r> Brief<'r> {
    pub(crate) fn read(record: &'r [u8]) -> Option<Self> {
        serde_json::from_slice(record).ok()
    }

    /// Whether the entry goes on from it as it is.
    pub(crate) fn is_of(&self, entry: &Entry) -> bool {
        self.timing == entry.timing() && self.disabled != entry.enabled
    }
}

/// What became of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The slot.
    pub slot: Timestamp,
    /// When it was dealt with, by the broker's clock.
    pub at: Timestamp,
    /// Which beat did so.
    pub by: String,
    /// Why nothing was sent, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
}

/// Why a slot was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// It was later than its window allows.
    Late,
    /// The last run had not ended.
    Overlap,
    /// No message could be made of it, or the broker refused the message; the entry's record says why.
    Unsendable,
}

impl EntryState {
    /// Stands for a record that cannot be read: it belongs to no schedule, so its entry begins anew.
    pub(crate) fn unreadable() -> Self {
        Self {
            timing: String::new(),
            last_slot: Timestamp::MIN,
            last_run_at: None,
            last_run_slot: None,
            total_run_count: 0,
            missed: 0,
            disabled: false,
            problem: None,
            history: Vec::new(),
        }
    }

    /// An entry that is seen for the first time: only slots after now are its business.
    pub(crate) fn new(entry: &Entry, now: Timestamp) -> Self {
        Self {
            timing: entry.timing().to_owned(),
            last_slot: now,
            ..Self::unreadable()
        }
    }

    /// The slot that was sent last, and when.
    pub(crate) fn last_sent(&self) -> Option<(Timestamp, Timestamp)> {
        self.last_run_slot.zip(self.last_run_at)
    }

    /// After this slot was dealt with, and `missed` before it were not; at most `keep` slots are remembered.
    #[must_use]
    pub(crate) fn after(mut self, slot: Slot, missed: u64, keep: usize) -> Self {
        let is_sent = slot.skipped.is_none();
        self.last_slot = slot.slot;
        self.missed += missed + u64::from(!is_sent);
        self.total_run_count += u64::from(is_sent);
        if is_sent {
            self.last_run_at = Some(slot.at);
            self.last_run_slot = Some(slot.slot);
            self.problem = None;
        }
        if self.history.len() >= keep {
            self.history.drain(..=self.history.len() - keep);
        }
        self.history.push(slot);
        self
    }
}

/// That a beat leads and moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When it was written, by the broker's clock.
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

//! What a run gives back, and what callers get of it.

use jiff::Timestamp;
use portfolio::analytics::Envelope;
use serde::{Deserialize, Serialize};

/// What a task's code returns.
#[derive(Clone, Debug)]
pub enum Answer<T> {
    /// The fields; the run ends as `success`, or as `partial` if an item failed.
    Done(T),
    /// There was nothing to do.
    Empty(T),
    /// It did not run.
    Skipped(Skipped),
    /// The result itself, without an envelope: for the examples whose result a seed shows.
    Literal(T),
}

/// Why a task did not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// A stable code: `already_running`, `market_closed`.
    pub reason: String,
    /// The task that is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// When the market opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_open: Option<Timestamp>,
}

/// A task's own fields, or why there are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content<T> {
    /// The task's own fields.
    Fields(T),
    /// Why it did not run.
    Skipped(Skipped),
}

/// The result as it travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply<T> {
    /// As nearly all tasks answer.
    Envelope(Envelope<Content<T>>),
    /// Without an envelope.
    Literal(T),
}

impl Skipped {
    /// For this reason.
    pub fn because(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            ..Self::default()
        }
    }
}

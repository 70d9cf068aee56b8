//! What an operator asks of a broker's server.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::Result;

/// An operator's questions and interventions.
#[async_trait]
pub trait Admin: Send + Sync + fmt::Debug {
    /// A round trip to the server; returns how long it took.
    async fn ping(&self) -> Result<Duration>;

    /// The names of all queues that the server knows of.
    async fn queues(&self) -> Result<Vec<String>>;

    /// Which queues exchanges hand messages on to, sorted; mailboxes left out.
    async fn bindings(&self) -> Result<Vec<Binding>>;

    /// How full these queues are, in the same order.
    async fn depth(&self, queues: &[String]) -> Result<Vec<QueueDepth>>;

    /// Deletes everything that is ready in the queue; returns how many messages.
    async fn purge(&self, queue: &str) -> Result<u64>;

    /// The oldest ready messages of a queue as stored, without taking them.
    async fn peek(&self, queue: &str, max: usize) -> Result<Vec<Bytes>>;

    /// Messages waiting for their time, soonest first.
    async fn deferred(&self, max: usize) -> Result<Vec<Deferred>>;

    /// Has these deferred messages wait no longer; returns how many still did.
    async fn hasten(&self, ids: &[String]) -> Result<u64>;

    /// Parked messages, oldest first.
    async fn parked(&self, max: usize) -> Result<Vec<Parked>>;

    /// Deals with one parked message; `false` if there is none of this id.
    async fn settle_parked(&self, id: &str, action: ParkedAction) -> Result<bool>;

    /// The incarnations that have a lease.
    async fn workers(&self) -> Result<Vec<WorkerLease>>;

    /// Looks at the server's version and settings and says what to change.
    async fn diagnose(&self) -> Result<Vec<Advice>>;
}

/// That an exchange hands messages on to a queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binding {
    /// The queue.
    pub queue: String,
    /// The exchange's name.
    pub exchange: String,
    /// The routing key or pattern.
    pub routing_key: String,
}

/// How full a queue is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// The queue.
    pub queue: String,
    /// Ready messages by priority number, lowest first; empty ones left out.
    pub by_priority: Vec<(u8, u64)>,
}

impl QueueDepth {
    /// All ready messages.
    pub fn ready(&self) -> u64 {
        self.by_priority.iter().map(|(_, count)| count).sum()
    }
}

/// A message waiting for its time.
#[derive(Clone, Debug)]
pub struct Deferred {
    /// Names it while it waits.
    pub id: String,
    /// The queue it goes to.
    pub queue: String,
    /// When.
    pub due: Timestamp,
    /// The message as stored.
    pub raw: Bytes,
}

/// A message that could not be run, kept for an operator.
#[derive(Clone, Debug)]
pub struct Parked {
    /// Names it.
    pub id: String,
    /// The queue it came from.
    pub queue: String,
    /// Why it was parked.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Which node parked it.
    pub node: String,
    /// The message as stored.
    pub raw: Bytes,
}

/// What an operator does with a parked message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedAction {
    /// Back to its queue.
    Requeue,
    /// Gone for good.
    Delete,
}

/// An incarnation with a lease.
#[derive(Clone, Debug)]
pub struct WorkerLease {
    /// The node's name.
    pub node: String,
    /// The incarnation.
    pub incarnation: String,
    /// When it last renewed.
    pub renewed: Timestamp,
    /// How many messages it holds, where that is cheap to know.
    pub held: Option<u64>,
}

/// How serious an [`Advice`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Works, but something better is possible.
    Hint,
    /// Tasks can be lost or stuck under these settings.
    Problem,
}

/// One finding about the server.
#[derive(Clone, Debug)]
pub struct Advice {
    /// What was looked at, e.g. `maxmemory-policy`.
    pub subject: String,
    /// How serious it is.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What to change; empty when fine.
    pub remedy: String,
}

//! The consuming side of the seam: reserve, then settle.
//!
//! A reserved message stays on the server under a tag that names the consumer's incarnation. Whatever becomes of it
//! is one [`Settlement`], carried out in one atomic step, and only if the tag is still held.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use protocol::{Limits, TaskMeta};
use tokio::sync::mpsc;

use crate::{ChordCall, Effects, Publish, Received, Result};

/// One incarnation of a worker on a broker. It renews its own lease until it is closed or dropped, gives back what dead
/// incarnations held, moves due messages to their queues, and reconnects by itself.
#[async_trait]
pub trait Consumer: Send + Sync + fmt::Debug {
    /// The incarnation's unique name, part of every tag.
    fn incarnation(&self) -> &str;

    /// Waits until something is ready, then takes up to `max` messages (`max` ≥ 1) in one atomic step.
    ///
    /// Waiting takes nothing away. Cancel-safe: dropping the future strands nothing; what was taken for it is given to the next
    /// call. Calls may overlap: messages are given out in the order in which the calls were first polled. Returns an error only for what
    /// waiting cannot mend (denied, closed, fenced); outages are waited through.
    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>>;

    /// Whether the server would have nothing to do between two calls of [`Consumer::reserve`], so that another should be under way when
    /// the first is answered: [`Consumer::reserve_behind`].
    fn overlaps(&self) -> bool {
        false
    }

    /// As [`Consumer::reserve`] for a call behind others, but never waits for messages to come: nothing is returned as soon as the server
    /// had none for it, though a call before it still waits.
    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        let _ = max;
        Ok(Vec::new())
    }

    /// Carries out the settlements, each atomically, all in one round trip, and says for each (same order) whether it was still held.
    ///
    /// Outages are waited through. A settlement that was under way when the connection broke is repeated; see [`Settled::Uncertain`].
    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>>;

    /// How long ago the server last heard that this incarnation lives.
    fn lease_age(&self) -> Duration;

    /// The queues that are consumed from now on.
    async fn set_queues(&self, queues: Vec<String>) -> Result<()>;

    /// Gives back, in their old order at the front, all messages still held, ends the lease, and returns their number.
    async fn close(&self) -> Result<usize>;
}

/// When a lease was last renewed.
#[derive(Debug)]
pub struct Renewal(Mutex<Instant>);

impl Renewal {
    /// Just now.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// It was renewed at this moment.
    pub fn renew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long ago it was renewed.
    pub fn age(&self) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }
}

impl Default for Renewal {
    fn default() -> Self {
        Self::new()
    }
}

/// What a consumer needs to know.
#[derive(Clone, Debug)]
pub struct ConsumerParams {
    /// The node's name, `celery@host`.
    pub node: String,
    /// The queues, in order of preference for [`QueueOrder::Strict`].
    pub queues: Vec<String>,
    /// How queues share.
    pub order: QueueOrder,
    /// How long the server believes that this incarnation lives after its last renewal. Messages of a dead
    /// incarnation are ready again before two leases have passed.
    pub lease: Duration,
    /// Celery's `visibility_timeout`: when messages held by Python workers count as abandoned.
    pub visibility_timeout: Duration,
    /// Bounds for decoding.
    pub limits: Limits,
    /// Where the consumer tells what it did on its own. Bounded; when full, notices are dropped and counted in the log.
    pub notices: mpsc::Sender<Notice>,
}

/// How queues share a consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueOrder {
    /// Within a priority every queue in turn, as kombu does.
    #[default]
    RoundRobin,
    /// Within a priority the queue listed first is emptied first.
    Strict,
    /// As strict, in alphabetical order.
    Sorted,
}

/// What a consumer did on its own.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The connection was lost; it is being rebuilt.
    Disconnected {
        /// Why.
        error: String,
    },
    /// The connection is back.
    Reconnected,
    /// Messages that a dead incarnation, or an overdue Python worker, held are ready again.
    Reclaimed {
        /// Who held them: an incarnation, or `visibility_timeout` for foreign holders.
        from: String,
        /// How many.
        messages: usize,
    },
    /// A dead incarnation had acknowledged this task early and was running it: the run is lost, the meta was stored.
    Lost {
        /// What was stored.
        meta: Box<TaskMeta>,
    },
    /// This incarnation was declared dead while it was frozen or cut off; it goes on under a new tag prefix, and what it held is refused.
    Fenced,
}

/// A message that this consumer holds.
#[derive(Debug)]
pub struct Delivery {
    /// Names the hold.
    pub tag: Tag,
    /// The queue it came from.
    pub queue: Arc<str>,
    /// The message, or why it cannot be understood; such a one should be settled with [`Verdict::Park`].
    pub message: Received,
    /// Whether somebody held it before.
    pub redelivered: bool,
    /// How many of those who held it have died with it: incarnations whose lease ran out, and processes ([`Verdict::Died`]).
    pub deaths: u32,
    /// Before it was asked for. A process that is frozen between the server's answer and its reading finds that out by this.
    pub asked: Instant,
}

/// Names one hold of one message by one incarnation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub Arc<str>);

impl Tag {
    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What becomes of a held message, and what is written in the same atomic step.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Which hold.
    pub tag: Tag,
    /// What becomes of the message.
    pub verdict: Verdict,
    /// A meta to store if the tag is still held.
    pub store: Option<TaskMeta>,
    /// Messages to publish if the tag is still held: a retry, callbacks, the next step of a chain.
    pub publish: Vec<Publish>,
    /// What the chords call that end now, published after the other messages.
    pub calls: Vec<ChordCall>,
    /// What else is written if the tag is still held. `None` for most tasks, and costs nothing then. As with `store`, an error where the
    /// broker has no results.
    pub effects: Option<Box<Effects>>,
}

impl Settlement {
    /// A settlement that writes nothing else.
    pub fn new(tag: Tag, verdict: Verdict) -> Self {
        Self {
            tag,
            verdict,
            store: None,
            publish: Vec::new(),
            calls: Vec::new(),
            effects: None,
        }
    }

    /// The effects, to add to.
    pub fn effects_mut(&mut self) -> &mut Effects {
        self.effects.get_or_insert_default()
    }
}

/// What becomes of a held message.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is done and leaves the server. Also ends the record of an early acknowledgement.
    Ack,
    /// It stays held (with `store`: STARTED, PROGRESS and custom states).
    Keep,
    /// Celery's early acknowledgement: the message leaves now, a record of the run stays until the final `Ack`.
    /// If the incarnation dies first, `lost` is stored and reported.
    AckEarly {
        /// The meta that tells of the loss. It is stored unless the task has reached a final state by then.
        lost: Box<TaskMeta>,
    },
    /// Back to the front of its queue as it came: nobody has begun to run it.
    Return,
    /// Back to its queue, marked as redelivered.
    Requeue {
        /// At the front (taken next) or at the back.
        front: bool,
    },
    /// The process that ran it has died: back to the front of its queue, marked as redelivered, with one more in
    /// [`Delivery::deaths`].
    Died,
    /// Held on the server until this time, then at the front of its queue.
    Defer {
        /// When it is due.
        until: Timestamp,
    },
    /// Out of its queue, kept with the reason where an operator finds it.
    Park {
        /// Why.
        reason: String,
    },
}

/// What came of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was carried out.
    Done,
    /// The tag was no longer held: nothing was changed, stored or published.
    Refused,
    /// The connection broke while it was under way and the repetition found the tag gone: it was carried out before the
    /// break, or the hold was lost.
    Uncertain,
    /// The task was the last member of the chord that it counts for: its meta is stored and the member counted, and nothing else was
    /// done. The message is still held, and the chord's claim is this tag's: join, and settle again with the chord in
    /// [`Effects::finish`].
    Complete,
    /// A chord's claim is somebody else's: of a chord that ends now ([`Effects::finish`]), and then nothing was done; or of the
    /// chord that the task counts for, and then its meta is stored and the member counted. The message is still held; ask again a
    /// little later.
    Claimed,
    /// The broker cannot do what was asked for, e.g. publish to a key that is no queue: nothing was done, and the message is still held.
    /// Settled alone, it is an error that says why.
    Impossible,
}

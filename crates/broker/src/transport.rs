//! The transport seam: publishing, broadcasting and listening.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use protocol::Message;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use crate::{
    Admin, Binding, Consumer, ConsumerParams, Coordinator, ExchangeKind, Publish, Result,
    ResultBackend,
};

/// A server that carries task messages. Cheap to share; every method may be called from many tasks at once.
#[async_trait]
pub trait Broker: Send + Sync + std::fmt::Debug {
    /// What this broker can and cannot do.
    fn capabilities(&self) -> Capabilities;

    /// Publishes all messages in one round trip and returns when the server has confirmed them.
    ///
    /// All or nothing where the server can do so; after a lost connection the caller cannot know, and a repeated
    /// call may publish twice.
    async fn publish(&self, batch: Vec<Publish>) -> Result<()>;

    /// Opens a consumer: a new incarnation with a lease of its own.
    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>>;

    /// Has an exchange hand on messages to a queue from now on, for good. The routing key is a pattern where the kind is a topic.
    ///
    /// # Errors
    /// When the exchange is a fanout: what is sent there is stored for nobody.
    async fn bind(&self, binding: Binding, kind: ExchangeKind) -> Result<()>;

    /// Sends to everybody who listens on a fanout exchange now (events, control requests). Nothing is stored.
    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()>;

    /// Listens. Returns after the server knows of it, so that nothing sent later is missed.
    /// Survives lost connections; what was sent in between is gone for a fanout and kept for a mailbox.
    async fn subscribe(&self, source: Source) -> Result<Subscription>;

    /// Closes every connection. Consumers must have been closed before.
    async fn close(&self);
}

/// What a broker can and cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Results are stored in the same atomic step as the settlement.
    pub results_with_settlement: bool,
    /// Messages with an ETA wait on the server.
    pub defers_on_server: bool,
    /// Whether the lower priority number is served first (Redis, SQLite) or the higher (RabbitMQ).
    pub low_priority_number_first: bool,
    /// Messages outlive a restart of the server under its usual settings.
    pub durable: bool,
}

/// What to listen to.
#[derive(Clone, Debug)]
pub enum Source {
    /// A fanout or topic exchange that is broadcast on, e.g. `celery.pidbox` or `celeryev`.
    Broadcast {
        /// The exchange.
        exchange: String,
        /// The binding key; `#` listens to all routing keys, `worker.#` to those below `worker.`, empty to the empty key.
        binding_key: String,
    },
    /// A private queue bound to an exchange for as long as the subscription lives, read without acknowledgement
    /// (replies to control requests, `rpc://` results).
    Mailbox {
        /// The exchange; empty for the default exchange.
        exchange: String,
        /// Its type.
        kind: ExchangeKind,
        /// The routing key that the queue is bound with.
        routing_key: String,
        /// The queue's name.
        queue: String,
        /// The server may delete the queue when nobody has read from it for this long.
        expires: Duration,
    },
}

/// A live subscription; dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    messages: mpsc::Receiver<Message>,
    _stop: DropGuard,
}

impl Subscription {
    /// Joins the receiving end of a bounded channel with the guard that stops its feeder.
    pub fn new(messages: mpsc::Receiver<Message>, stop: DropGuard) -> Self {
        Self {
            messages,
            _stop: stop,
        }
    }

    /// The next message; `None` when the broker was closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

/// Everything that one or two URLs open: the broker with its operator's side and its coordinator, and the result backend.
#[derive(Clone, Debug)]
pub struct Backends {
    /// Transport.
    pub broker: Arc<dyn Broker>,
    /// Operator's questions, on the broker's server.
    pub admin: Arc<dyn Admin>,
    /// Leases and commits, on the broker's server.
    pub coordinator: Arc<dyn Coordinator>,
    /// Results; `None` when no result backend is configured.
    pub results: Option<Arc<dyn ResultBackend>>,
}

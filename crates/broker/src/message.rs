//! A message on its way out, and where it goes.

use protocol::Message;

use crate::{BrokerError, ErrorKind, Result};

/// How an exchange chooses among the queues bound to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExchangeKind {
    /// Queues bound with exactly this routing key.
    #[default]
    Direct,
    /// Queues whose pattern matches the routing key (`*` one word, `#` any number).
    Topic,
    /// Everybody who listens now; nothing is stored.
    Fanout,
}

impl ExchangeKind {
    /// The type that AMQP calls so; `None` when it is none of them.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "direct" => Some(Self::Direct),
            "topic" => Some(Self::Topic),
            "fanout" => Some(Self::Fanout),
            _ => None,
        }
    }

    /// Refuses the kind that hands on to those who listen, and to no queue.
    ///
    /// # Errors
    /// `Invalid` for a fanout.
    pub fn check_stores(self) -> Result<()> {
        if self == Self::Fanout {
            let text = "what is sent to a fanout exchange reaches those who listen, and no queue";
            return Err(BrokerError::new(ErrorKind::Invalid, text));
        }
        Ok(())
    }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Straight to this queue: exchange `""`, routing key = queue name, as Celery sends by default.
    Queue(String),
    /// Through an exchange and the bindings known to the server.
    Exchange {
        /// The exchange's name.
        name: String,
        /// Its type.
        kind: ExchangeKind,
        /// The routing key.
        routing_key: String,
    },
}

impl Route {
    /// Straight to this queue.
    pub fn queue(name: impl Into<String>) -> Self {
        Self::Queue(name.into())
    }

    /// The exchange's name; empty for a queue.
    pub fn exchange(&self) -> &str {
        match self {
            Self::Queue(_) => "",
            Self::Exchange { name, .. } => name,
        }
    }

    /// The routing key; the queue's name for a queue.
    pub fn routing_key(&self) -> &str {
        match self {
            Self::Queue(name) => name,
            Self::Exchange { routing_key, .. } => routing_key,
        }
    }
}

/// A message on its way out. The broker fills in what its transport needs (delivery tag, delivery info, body encoding).
#[derive(Clone, Debug)]
pub struct Publish {
    /// The message.
    pub message: Message,
    /// Where it goes.
    pub route: Route,
}

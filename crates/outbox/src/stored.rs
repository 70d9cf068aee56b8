//! A message as it lies in the file: exactly as it was published, with where it goes.

use broker::{ExchangeKind, Publish, Route};
use jiff::Timestamp;
use protocol::{BodyEncoding, DecodeError, EncodeError, Limits, MAX_DEPTH, Message};

/// A message to be written.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) stored_at: String,
    pub(crate) task: String,
    pub(crate) task_id: String,
    pub(crate) exchange: Option<String>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) routing_key: String,
    pub(crate) envelope: Vec<u8>,
}

impl Record {
    pub(crate) fn of(publish: &Publish, now: Timestamp) -> Result<Self, EncodeError> {
        let mut message = publish.message.clone();
        message
            .properties
            .body_encoding
            .get_or_insert(BodyEncoding::Base64);
        let (exchange, kind) = match &publish.route {
            Route::Queue(_) => (None, None),
            Route::Exchange { name, kind, .. } => (Some(name.clone()), Some(name_of(*kind))),
        };
        Ok(Self {
            stored_at: now.to_string(),
            task: message.headers.task.clone().unwrap_or_default(),
            task_id: message.headers.id.clone().unwrap_or_default(),
            exchange,
            kind,
            routing_key: publish.route.routing_key().to_owned(),
            envelope: message.to_envelope()?,
        })
    }
}

/// What is read of a message that is to be sent.
pub(crate) type StoredRow = (i64, Option<String>, Option<String>, String, Vec<u8>);

/// A message as it was read.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) id: i64,
    exchange: Option<String>,
    kind: Option<String>,
    routing_key: String,
    envelope: Vec<u8>,
}

impl From<StoredRow> for Stored {
    fn from((id, exchange, kind, routing_key, envelope): StoredRow) -> Self {
        Self {
            id,
            exchange,
            kind,
            routing_key,
            envelope,
        }
    }
}

impl Stored {
    /// Its size as it is stored.
    pub(crate) fn bytes(&self) -> usize {
        self.envelope.len()
    }

    /// What was published.
    ///
    /// # Errors
    /// When it is not what was written.
    pub(crate) fn publish(&self) -> Result<Publish, DecodeError> {
        let routing_key = self.routing_key.clone();
        let route = match &self.exchange {
            None => Route::Queue(routing_key),
            Some(name) => Route::Exchange {
                name: name.clone(),
                kind: self
                    .kind
                    .as_deref()
                    .and_then(ExchangeKind::from_name)
                    .unwrap_or_default(),
                routing_key,
            },
        };
        let message = Message::from_envelope(&self.envelope, &unbounded())?;
        Ok(Publish { message, route })
    }
}

/// What is read of a message for an operator.
pub(crate) type WaitingRow = (i64, String, String, String, String, i64, Option<String>);

/// A message that waits, as an operator sees it.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Names it, in the order of publication.
    pub id: i64,
    /// When it was stored.
    pub stored_at: String,
    /// The task's name.
    pub task: String,
    /// The task's id.
    pub task_id: String,
    /// The queue, or the routing key of an exchange.
    pub routing_key: String,
    /// Its size as it is stored.
    pub bytes: i64,
    /// Why the broker does not take it; `None` while it waits for the broker.
    pub refused: Option<String>,
}

impl From<WaitingRow> for Waiting {
    fn from(row: WaitingRow) -> Self {
        let (id, stored_at, task, task_id, routing_key, bytes, refused) = row;
        Self {
            id,
            stored_at,
            task,
            task_id,
            routing_key,
            bytes,
            refused,
        }
    }
}

/// The program has made these messages itself.
fn unbounded() -> Limits {
    Limits {
        payload: usize::MAX,
        decompressed: usize::MAX,
        depth: MAX_DEPTH,
        values: usize::MAX,
    }
}

fn name_of(kind: ExchangeKind) -> &'static str {
    match kind {
        ExchangeKind::Direct => "direct",
        ExchangeKind::Topic => "topic",
        ExchangeKind::Fanout => "fanout",
    }
}

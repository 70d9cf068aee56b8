//! Putting messages into their queues.

use broker::{Binding, CALL_MEMORY, ExchangeKind, Route};
use bytes::Bytes;

use super::feed::Broadcast;
use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::wall_ms;
use crate::error::Result;
use crate::sql;
use crate::wire::effects::millis;
use crate::wire::topic_matches;

const INSERT_MESSAGE: &str = "INSERT INTO messages (queue, step) VALUES (?1, ?2)";
const INSERT_BODY: &str = "INSERT INTO bodies (id, body) VALUES (?1, ?2)";
const NOTE_CALL: &str = "\
INSERT INTO calls (name, until) VALUES (?1, ?3)
ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE until <= ?2";
const BINDINGS: &str = "SELECT routing_key, queue FROM bindings WHERE exchange = ?";
const BIND: &str = "INSERT INTO bindings (exchange, routing_key, queue) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

/// An encoded message and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) route: Route,
    /// kombu's priority step.
    pub(crate) step: u8,
    pub(crate) envelope: Bytes,
}

/// Publishes all or nothing.
#[derive(Debug)]
pub(crate) struct Publish(pub(crate) Vec<Outgoing>);

impl Operation for Publish {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        publish(tx, &self.0)
    }
}

/// What the end of a chord calls, with everything encoded.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) once: Option<String>,
    pub(crate) publish: Vec<Outgoing>,
}

impl Call {
    /// Whether it is to be published: one with a name only the first time. From now on the name is known.
    pub(crate) fn is_first(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let Some(name) = &self.once else {
            return Ok(true);
        };
        let now = wall_ms();
        let until = now.saturating_add(millis(CALL_MEMORY));
        Ok(sql::execute(tx.conn, NOTE_CALL, (name, now, until))? > 0)
    }
}

/// Puts each message into the queues of its route, in order; fanouts go into the feed.
pub(crate) fn publish<'o>(
    tx: &mut Tx<'_>,
    batch: impl IntoIterator<Item = &'o Outgoing>,
) -> Result<()> {
    for outgoing in batch {
        match &outgoing.route {
            Route::Queue(queue) => insert(tx, queue, outgoing)?,
            Route::Exchange {
                name,
                kind,
                routing_key,
            } => {
                for queue in queues_of(tx, outgoing, (name, *kind, routing_key))? {
                    insert(tx, &queue, outgoing)?;
                }
            }
        }
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, queue: &str, outgoing: &Outgoing) -> Result<()> {
    sql::execute(tx.conn, INSERT_MESSAGE, (queue, outgoing.step))?;
    let id = tx.conn.last_insert_rowid();
    sql::execute(tx.conn, INSERT_BODY, (id, &outgoing.envelope[..]))?;
    tx.ring(News::Ready);
    Ok(())
}

/// The queues that a message to an exchange goes to now, each once.
fn queues_of(
    tx: &mut Tx<'_>,
    outgoing: &Outgoing,
    (name, kind, routing_key): (&str, ExchangeKind, &str),
) -> Result<Vec<String>> {
    if kind == ExchangeKind::Fanout {
        let broadcast = Broadcast {
            exchange: name.to_owned(),
            key: routing_key.to_owned(),
            body: outgoing.envelope.clone(),
        };
        broadcast.send(tx)?;
        return Ok(Vec::new());
    }
    let bindings: Vec<(String, String)> = sql::all(tx.conn, BINDINGS, [name])?;
    let matching = bindings
        .into_iter()
        .filter(|(key, _)| matches(kind, key, routing_key));
    let mut queues: Vec<String> = matching.map(|(_, queue)| queue).collect();
    queues.sort();
    queues.dedup();
    if queues.is_empty() && kind == ExchangeKind::Direct && name == routing_key {
        // Celery's default for a queue that no consumer has declared yet: the exchange has the queue's name.
        queues.push(name.to_owned());
    }
    Ok(queues)
}

fn matches(kind: ExchangeKind, binding_key: &str, routing_key: &str) -> bool {
    match kind {
        ExchangeKind::Topic => topic_matches(binding_key, routing_key),
        ExchangeKind::Direct | ExchangeKind::Fanout => binding_key == routing_key,
    }
}

/// Binds queues as Celery declares them by default: each to the exchange of its own name, under its own name.
pub(crate) fn declare(tx: &mut Tx<'_>, queues: &[String]) -> Result<()> {
    for queue in queues {
        bind(tx, queue, queue, queue)?;
    }
    Ok(())
}

fn bind(tx: &mut Tx<'_>, exchange: &str, routing_key: &str, queue: &str) -> Result<()> {
    sql::execute(tx.conn, BIND, (exchange, routing_key, queue))?;
    Ok(())
}

/// Binds a queue to any exchange, for good.
#[derive(Debug)]
pub(crate) struct Bind(pub(crate) Binding);

impl Operation for Bind {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Binding {
            queue,
            exchange,
            routing_key,
        } = &self.0;
        bind(tx, exchange, routing_key, queue)
    }
}

/// Declares the queues of a consumer.
#[derive(Debug)]
pub(crate) struct Declare(pub(crate) Vec<String>);

impl Operation for Declare {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        declare(tx, &self.0)
    }
}

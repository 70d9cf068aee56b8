//! Putting messages into their queues.

use async_trait::async_trait;
use broker::{Binding, CALL_MEMORY, ExchangeKind, Route};
use bytes::Bytes;
use serde::Serialize;

use super::feed::Broadcast;
use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::wall_ms;
use crate::error::Result;
use crate::pack::Pack;
use crate::wire::effects::millis;
use crate::wire::topic_matches;

/// Bytes in one statement at most, but for a single message that is larger.
const CHUNK: usize = 64 << 20;

/// `substr(blob, offset, length)` takes each envelope out of the blob; see [`Pack`].
const INSERT_MESSAGES: &str = "\
INSERT INTO messages (queue, step) SELECT value->>'$[0][0]', value->>'$[0][1]' FROM json_each(?1) ORDER BY key";
const INSERT_BODIES: &str = "\
INSERT INTO bodies (id, body) SELECT ?1 + key, substr(?2, value->>1, value->>2) FROM json_each(?3)";
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

#[async_trait]
impl Operation for Publish {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        publish(tx, &self.0).await
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
    pub(crate) async fn is_first(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let Some(name) = &self.once else {
            return Ok(true);
        };
        let now = wall_ms();
        let note = sqlx::query(NOTE_CALL).bind(name).bind(now);
        let note = note.bind(now.saturating_add(millis(CALL_MEMORY)));
        Ok(note.execute(&mut *tx.conn).await?.rows_affected() > 0)
    }
}

/// The columns of a new message.
#[derive(Debug, Serialize)]
struct Columns<'a>(&'a str, u8);

/// Puts each message into the queues of its route, in order; fanouts go into the feed.
pub(crate) async fn publish(tx: &mut Tx<'_>, batch: &[Outgoing]) -> Result<()> {
    let mut placed = Vec::with_capacity(batch.len());
    for outgoing in batch {
        for queue in queues_of(tx, outgoing).await? {
            placed.push((queue, outgoing));
        }
    }
    insert_in_chunks(tx, &placed).await
}

async fn insert_in_chunks(tx: &mut Tx<'_>, placed: &[(String, &Outgoing)]) -> Result<()> {
    let mut pack = Pack::new();
    for (queue, outgoing) in placed {
        pack.push(Columns(queue, outgoing.step), &outgoing.envelope);
        if pack.bytes() >= CHUNK {
            insert(tx, std::mem::replace(&mut pack, Pack::new())).await?;
        }
    }
    insert(tx, pack).await
}

async fn insert(tx: &mut Tx<'_>, pack: Pack<Columns<'_>>) -> Result<()> {
    if pack.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(pack.len()).expect("a batch fits memory");
    let (rows, blob) = pack.into_parts()?;
    let done = sqlx::query(INSERT_MESSAGES)
        .bind(&rows)
        .execute(&mut *tx.conn)
        .await?;
    // One statement under the write lock gives out consecutive ids.
    let first = done.last_insert_rowid() - count + 1;
    sqlx::query(INSERT_BODIES)
        .bind(first)
        .bind(blob)
        .bind(rows)
        .execute(&mut *tx.conn)
        .await?;
    tx.ring(News::Ready);
    Ok(())
}

/// The queues that a message goes to now, each once.
async fn queues_of(tx: &mut Tx<'_>, outgoing: &Outgoing) -> Result<Vec<String>> {
    match &outgoing.route {
        Route::Queue(queue) => Ok(vec![queue.clone()]),
        Route::Exchange {
            name,
            kind: ExchangeKind::Fanout,
            routing_key,
        } => {
            let broadcast = Broadcast {
                exchange: name.clone(),
                key: routing_key.clone(),
                body: outgoing.envelope.clone(),
            };
            broadcast.send(tx).await?;
            Ok(Vec::new())
        }
        Route::Exchange {
            name,
            kind,
            routing_key,
        } => {
            let bindings: Vec<(String, String)> = sqlx::query_as(BINDINGS)
                .bind(name)
                .fetch_all(&mut *tx.conn)
                .await?;
            let matching = bindings
                .into_iter()
                .filter(|(key, _)| matches(*kind, key, routing_key));
            let mut queues: Vec<String> = matching.map(|(_, queue)| queue).collect();
            queues.sort();
            queues.dedup();
            if queues.is_empty() && *kind == ExchangeKind::Direct && name == routing_key {
                // Celery's default for a queue that no consumer has declared yet: the exchange has the queue's name.
                queues.push(name.clone());
            }
            Ok(queues)
        }
    }
}

fn matches(kind: ExchangeKind, binding_key: &str, routing_key: &str) -> bool {
    match kind {
        ExchangeKind::Topic => topic_matches(binding_key, routing_key),
        ExchangeKind::Direct | ExchangeKind::Fanout => binding_key == routing_key,
    }
}

/// Binds queues as Celery declares them by default: each to the exchange of its own name, under its own name.
pub(crate) async fn declare(tx: &mut Tx<'_>, queues: &[String]) -> Result<()> {
    for queue in queues {
        bind(tx, queue, queue, queue).await?;
    }
    Ok(())
}

async fn bind(tx: &mut Tx<'_>, exchange: &str, routing_key: &str, queue: &str) -> Result<()> {
    let bind = sqlx::query(BIND).bind(exchange).bind(routing_key);
    bind.bind(queue).execute(&mut *tx.conn).await?;
    Ok(())
}

/// Binds a queue to any exchange, for good.
#[derive(Debug)]
pub(crate) struct Bind(pub(crate) Binding);

#[async_trait]
impl Operation for Bind {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Binding {
            queue,
            exchange,
            routing_key,
        } = &self.0;
        bind(tx, exchange, routing_key, queue).await
    }
}

/// Declares the queues of a consumer.
#[derive(Debug)]
pub(crate) struct Declare(pub(crate) Vec<String>);

#[async_trait]
impl Operation for Declare {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        declare(tx, &self.0).await
    }
}

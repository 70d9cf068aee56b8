//! Private queues that are read without acknowledgement and go when nobody reads them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Operation, Tx, delete_messages};
use crate::clock::steady_ms;
use crate::error::Result;

/// Messages in one step at most.
const AT_ONCE: i64 = 256;

const BIND: &str = "\
INSERT INTO bindings (exchange, routing_key, queue, until) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET until = excluded.until";
const FIRST: &str = "\
SELECT m.id, b.body FROM messages m JOIN bodies b USING (id)
WHERE m.state = 0 AND m.queue = ?1 ORDER BY m.step, m.rank, m.id LIMIT ?2";

/// A private queue and how it is bound.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) queue: String,
    pub(crate) expires_ms: i64,
}

/// Binds the mailbox, or puts off its end.
#[derive(Debug)]
pub(crate) struct Bind(pub(crate) Mailbox);

#[async_trait]
impl Operation for Bind {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Mailbox {
            exchange,
            routing_key,
            queue,
            expires_ms,
        } = &self.0;
        let bind = sqlx::query(BIND)
            .bind(exchange)
            .bind(routing_key)
            .bind(queue);
        bind.bind(steady_ms().saturating_add(*expires_ms))
            .execute(&mut *tx.conn)
            .await?;
        Ok(())
    }
}

/// Letters on their way to the reader. They lie here when the reader is interrupted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl Letters {
    pub(crate) fn next(&self) -> Option<Vec<u8>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

/// Takes what is in the mailbox for good; the output is the number of letters.
#[derive(Debug)]
pub(crate) struct Collect {
    pub(crate) queue: String,
    pub(crate) letters: Letters,
    pub(crate) taken: Vec<Vec<u8>>,
}

#[async_trait]
impl Operation for Collect {
    type Output = usize;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<usize> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(FIRST)
            .bind(&self.queue)
            .bind(AT_ONCE)
            .fetch_all(&mut *tx.conn)
            .await?;
        let (ids, bodies): (Vec<i64>, _) = rows.into_iter().unzip();
        delete_messages(tx, &ids).await?;
        self.taken = bodies;
        Ok(ids.len())
    }

    fn committed(&mut self, _count: &mut usize) {
        self.letters
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(self.taken.drain(..));
    }
}

/// Deletes the mailbox with what is in it.
#[derive(Debug)]
pub(crate) struct Unbind(pub(crate) String);

#[async_trait]
impl Operation for Unbind {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        delete_queue(tx, &self.0).await
    }
}

/// Deletes a queue, its bindings and its ready messages.
pub(super) async fn delete_queue(tx: &mut Tx<'_>, queue: &str) -> Result<()> {
    sqlx::query("DELETE FROM bindings WHERE queue = ?")
        .bind(queue)
        .execute(&mut *tx.conn)
        .await?;
    purge(tx, queue).await.map(drop)
}

/// Deletes the ready messages of a queue; returns how many.
pub(super) async fn purge(tx: &mut Tx<'_>, queue: &str) -> Result<u64> {
    let bodies =
        "DELETE FROM bodies WHERE id IN (SELECT id FROM messages WHERE state = 0 AND queue = ?)";
    sqlx::query(bodies)
        .bind(queue)
        .execute(&mut *tx.conn)
        .await?;
    let messages = sqlx::query("DELETE FROM messages WHERE state = 0 AND queue = ?").bind(queue);
    Ok(messages.execute(&mut *tx.conn).await?.rows_affected())
}

/// Deletes a queue's ready messages; the output is their number.
#[derive(Debug)]
pub(crate) struct Purge(pub(crate) String);

#[async_trait]
impl Operation for Purge {
    type Output = u64;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<u64> {
        purge(tx, &self.0).await
    }
}

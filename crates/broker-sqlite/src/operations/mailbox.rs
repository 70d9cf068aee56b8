//! Private queues that are read without acknowledgement and go when nobody reads them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Operation, Tx, delete_messages};
use crate::clock::steady_ms;
use crate::error::Result;
use crate::sql;

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

impl Operation for Bind {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Mailbox {
            exchange,
            routing_key,
            queue,
            expires_ms,
        } = &self.0;
        let until = steady_ms().saturating_add(*expires_ms);
        sql::execute(tx.conn, BIND, (exchange, routing_key, queue, until))?;
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

impl Operation for Collect {
    type Output = usize;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<usize> {
        let rows: Vec<(i64, Vec<u8>)> = sql::all(tx.conn, FIRST, (&self.queue, AT_ONCE))?;
        let (ids, bodies): (Vec<i64>, _) = rows.into_iter().unzip();
        delete_messages(tx, &ids)?;
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

impl Operation for Unbind {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        delete_queue(tx, &self.0)
    }
}

/// Deletes a queue, its bindings and its ready messages.
pub(super) fn delete_queue(tx: &mut Tx<'_>, queue: &str) -> Result<()> {
    sql::execute(tx.conn, "DELETE FROM bindings WHERE queue = ?", [queue])?;
    purge(tx, queue).map(drop)
}

/// Deletes the ready messages of a queue; returns how many.
pub(super) fn purge(tx: &mut Tx<'_>, queue: &str) -> Result<usize> {
    let bodies =
        "DELETE FROM bodies WHERE id IN (SELECT id FROM messages WHERE state = 0 AND queue = ?)";
    sql::execute(tx.conn, bodies, [queue])?;
    let messages = "DELETE FROM messages WHERE state = 0 AND queue = ?";
    sql::execute(tx.conn, messages, [queue])
}

/// Deletes a queue's ready messages; the output is their number.
#[derive(Debug)]
pub(crate) struct Purge(pub(crate) String);

impl Operation for Purge {
    type Output = usize;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<usize> {
        purge(tx, &self.0)
    }
}

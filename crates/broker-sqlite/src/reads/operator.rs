//! An operator's questions.

use rusqlite::Connection;

use super::texts;
use crate::error::Result;
use crate::readers::Readers;
use crate::sql;

pub(crate) async fn sqlite_version(readers: &Readers) -> Result<String> {
    one(readers, "SELECT sqlite_version()").await
}

pub(crate) async fn journal_mode(readers: &Readers) -> Result<String> {
    one(readers, "PRAGMA journal_mode").await
}

/// What SQLite finds wrong with the file; `ok` when nothing.
pub(crate) async fn quick_check(readers: &Readers) -> Result<String> {
    one(readers, "PRAGMA quick_check(1)").await
}

/// One step in the index for each queue, not one for each message.
const QUEUES: &str = "\
WITH RECURSIVE filled (queue) AS (
    SELECT min(queue) FROM messages WHERE state = 0
    UNION ALL
    SELECT (SELECT min(queue) FROM messages WHERE state = 0 AND queue > filled.queue) FROM filled WHERE queue IS NOT NULL)
SELECT queue FROM bindings WHERE until IS NULL
UNION
SELECT queue FROM filled
WHERE queue IS NOT NULL AND queue NOT IN (SELECT queue FROM bindings WHERE until IS NOT NULL)
ORDER BY queue";

/// Every queue that a consumer has declared or that has something ready, but for mailboxes.
pub(crate) async fn queues(readers: &Readers) -> Result<Vec<String>> {
    Ok(texts(
        readers.read(|conn| sql::all(conn, QUEUES, [])).await?,
    ))
}

/// Queue, exchange and routing key of every binding, but for mailboxes.
pub(crate) async fn bindings(readers: &Readers) -> Result<Vec<(String, String, String)>> {
    let sql =
        "SELECT queue, exchange, routing_key FROM bindings WHERE until IS NULL ORDER BY 1, 2, 3";
    readers.read(move |conn| sql::all(conn, sql, [])).await
}

/// Ready messages by queue and step.
pub(crate) async fn depth(readers: &Readers, queues: &[String]) -> Result<Vec<(String, u8, i64)>> {
    let sql = "SELECT queue, step, count(*) FROM messages \
               WHERE state = 0 AND queue IN (SELECT value FROM json_each(?)) GROUP BY queue, step ORDER BY queue, step";
    let queues = serde_json::to_string(queues)?;
    let read = move |conn: &Connection| sql::all(conn, sql, [queues]);
    readers.read(read).await
}

/// Envelopes of ready messages in the order in which they are served.
pub(crate) async fn peek(readers: &Readers, queue: &str, max: usize) -> Result<Vec<Vec<u8>>> {
    let sql = "SELECT b.body FROM messages m JOIN bodies b USING (id) \
               WHERE m.state = 0 AND m.queue = ? ORDER BY m.step, m.rank, m.id LIMIT ?";
    let queue = queue.to_owned();
    let read = move |conn: &Connection| sql::all(conn, sql, (queue, limit(max)));
    let bodies = readers.read(read).await?.into_iter();
    Ok(bodies.map(|(body,)| body).collect())
}

/// Id, queue, due time and envelope.
pub(crate) type DeferredRow = (i64, String, i64, Vec<u8>);

/// Deferred messages, soonest first.
pub(crate) async fn deferred(readers: &Readers, max: usize) -> Result<Vec<DeferredRow>> {
    let sql = "SELECT m.id, m.queue, m.due, b.body FROM messages m JOIN bodies b USING (id) \
               WHERE m.state = 2 ORDER BY m.due, m.id LIMIT ?";
    let read = move |conn: &Connection| sql::all(conn, sql, [limit(max)]);
    readers.read(read).await
}

/// Id, queue, reason, time, node and envelope.
pub(crate) type ParkedRow = (i64, String, String, i64, String, Vec<u8>);

/// Parked messages, oldest first.
pub(crate) async fn parked(readers: &Readers, max: usize) -> Result<Vec<ParkedRow>> {
    let sql = "SELECT id, queue, reason, parked_at, node, body FROM parked ORDER BY id LIMIT ?";
    let read = move |conn: &Connection| sql::all(conn, sql, [limit(max)]);
    readers.read(read).await
}

/// Node, incarnation, renewal and number of held messages of everybody with a lease.
pub(crate) async fn workers(readers: &Readers) -> Result<Vec<(String, String, i64, i64)>> {
    let sql = "SELECT w.node, w.incarnation, w.renewed, \
               (SELECT count(*) FROM messages m WHERE m.holder = w.id) FROM workers w ORDER BY w.id";
    readers.read(move |conn| sql::all(conn, sql, [])).await
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

async fn one(readers: &Readers, sql: &'static str) -> Result<String> {
    let (text,) = readers.read(move |conn| sql::one(conn, sql, [])).await?;
    Ok(text)
}

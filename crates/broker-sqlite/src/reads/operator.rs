//! An operator's questions.

use sqlx::SqlitePool;

use crate::error::Result;
use crate::pack::json;

pub(crate) async fn sqlite_version(pool: &SqlitePool) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await?)
}

pub(crate) async fn journal_mode(pool: &SqlitePool) -> Result<String> {
    Ok(sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(pool)
        .await?)
}

/// What SQLite finds wrong with the file; `ok` when nothing.
pub(crate) async fn quick_check(pool: &SqlitePool) -> Result<String> {
    Ok(sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(pool)
        .await?)
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
pub(crate) async fn queues(pool: &SqlitePool) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(QUEUES).fetch_all(pool).await?)
}

/// Queue, exchange and routing key of every binding, but for mailboxes.
pub(crate) async fn bindings(pool: &SqlitePool) -> Result<Vec<(String, String, String)>> {
    let sql =
        "SELECT queue, exchange, routing_key FROM bindings WHERE until IS NULL ORDER BY 1, 2, 3";
    Ok(sqlx::query_as(sql).fetch_all(pool).await?)
}

/// Ready messages by queue and step.
pub(crate) async fn depth(pool: &SqlitePool, queues: &[String]) -> Result<Vec<(String, u8, i64)>> {
    let sql = "SELECT queue, step, count(*) FROM messages \
               WHERE state = 0 AND queue IN (SELECT value FROM json_each(?)) GROUP BY queue, step ORDER BY queue, step";
    Ok(sqlx::query_as(sql)
        .bind(json(queues)?)
        .fetch_all(pool)
        .await?)
}

/// Envelopes of ready messages in the order in which they are served.
pub(crate) async fn peek(pool: &SqlitePool, queue: &str, max: usize) -> Result<Vec<Vec<u8>>> {
    let sql = "SELECT b.body FROM messages m JOIN bodies b USING (id) \
               WHERE m.state = 0 AND m.queue = ? ORDER BY m.step, m.rank, m.id LIMIT ?";
    Ok(sqlx::query_scalar(sql)
        .bind(queue)
        .bind(limit(max))
        .fetch_all(pool)
        .await?)
}

/// Id, queue, due time and envelope.
pub(crate) type DeferredRow = (i64, String, i64, Vec<u8>);

/// Deferred messages, soonest first.
pub(crate) async fn deferred(pool: &SqlitePool, max: usize) -> Result<Vec<DeferredRow>> {
    let sql = "SELECT m.id, m.queue, m.due, b.body FROM messages m JOIN bodies b USING (id) \
               WHERE m.state = 2 ORDER BY m.due, m.id LIMIT ?";
    Ok(sqlx::query_as(sql).bind(limit(max)).fetch_all(pool).await?)
}

/// Id, queue, reason, time, node and envelope.
pub(crate) type ParkedRow = (i64, String, String, i64, String, Vec<u8>);

/// Parked messages, oldest first.
pub(crate) async fn parked(pool: &SqlitePool, max: usize) -> Result<Vec<ParkedRow>> {
    let sql = "SELECT id, queue, reason, parked_at, node, body FROM parked ORDER BY id LIMIT ?";
    Ok(sqlx::query_as(sql).bind(limit(max)).fetch_all(pool).await?)
}

/// Node, incarnation, renewal and number of held messages of everybody with a lease.
pub(crate) async fn workers(pool: &SqlitePool) -> Result<Vec<(String, String, i64, i64)>> {
    let sql = "SELECT w.node, w.incarnation, w.renewed, \
               (SELECT count(*) FROM messages m WHERE m.holder = w.id) FROM workers w ORDER BY w.id";
    Ok(sqlx::query_as(sql).fetch_all(pool).await?)
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

//! What is asked of the file without changing it.

pub(crate) mod operator;

use rusqlite::Connection;

use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::readers::Readers;
use crate::sql;

/// What is stored of each of these tasks and has not expired, in their order.
pub(crate) async fn metas(readers: &Readers, task_ids: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
    let task_ids = task_ids.to_vec();
    let read = move |conn: &Connection| {
        // One state of the file for all of them.
        let _snapshot = conn.unchecked_transaction()?;
        stored_metas(conn, &task_ids)
    };
    readers.read(read).await
}

/// As [`metas`], on a connection.
pub(crate) fn stored_metas(conn: &Connection, task_ids: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
    let sql =
        "SELECT meta FROM results WHERE task_id = ? AND (expires_at IS NULL OR expires_at > ?)";
    let now = wall_ms();
    let meta = |task_id| {
        let stored = sql::first(conn, sql, (task_id, now))?;
        Ok(stored.map(|(meta,)| meta))
    };
    task_ids.iter().map(meta).collect()
}

/// A saved group's result.
pub(crate) async fn group(readers: &Readers, group_id: &str) -> Result<Option<Vec<u8>>> {
    let sql =
        "SELECT result FROM groups WHERE group_id = ? AND (expires_at IS NULL OR expires_at > ?)";
    let group_id = group_id.to_owned();
    let read = move |conn: &Connection| sql::first(conn, sql, (group_id, wall_ms()));
    Ok(readers.read(read).await?.map(|(result,)| result))
}

/// What `decode` makes of place and member of those of a chord that have ended, in order. Each is decoded as it is read, so
/// that no more of them lie in memory twice.
pub(crate) async fn chord_parts<T: Send + 'static>(
    readers: &Readers,
    group_id: &str,
    decode: impl Fn(i64, &[u8]) -> Result<T> + Send + 'static,
) -> Result<Vec<T>> {
    let sql = "SELECT p.place, p.member FROM chord_parts p JOIN chords c USING (group_id) \
               WHERE p.group_id = ? AND (c.expires_at IS NULL OR c.expires_at > ?) ORDER BY p.place, p.task_id";
    let group_id = group_id.to_owned();
    let read = move |conn: &Connection| {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query((group_id, wall_ms()))?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            let member = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            parts.push(decode(row.get(0)?, member)?);
        }
        Ok(parts)
    };
    readers.read(read).await
}

/// The texts that a space remembers, oldest first.
pub(crate) async fn remembered(readers: &Readers, space: &str) -> Result<Vec<String>> {
    let sql = "SELECT text FROM remembered WHERE space = ? AND until > ? ORDER BY until, id";
    let space = space.to_owned();
    let read = move |conn: &Connection| sql::all(conn, sql, (space, wall_ms()));
    Ok(texts(readers.read(read).await?))
}

fn texts(rows: Vec<(String,)>) -> Vec<String> {
    rows.into_iter().map(|(text,)| text).collect()
}

/// When the next deferred message is due, in milliseconds of the wall clock.
pub(crate) async fn next_due(readers: &Readers) -> Result<Option<i64>> {
    let sql = "SELECT min(due) FROM messages WHERE state = 2";
    let (due,) = readers.read(move |conn| sql::one(conn, sql, [])).await?;
    Ok(due)
}

/// Whether a queue has something ready.
pub(crate) async fn has_ready(readers: &Readers, queue: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE state = 0 AND queue = ?)";
    let queue = queue.to_owned();
    let read = move |conn: &Connection| sql::one(conn, sql, [queue]);
    let (ready,) = readers.read(read).await?;
    Ok(ready)
}

/// An incarnation whose lease has run out.
#[derive(Clone, Debug)]
pub(crate) struct Overdue {
    pub(crate) id: i64,
    pub(crate) incarnation: String,
    pub(crate) renewed: i64,
}

/// The incarnations whose leases have run out.
pub(crate) async fn overdue(readers: &Readers) -> Result<Vec<Overdue>> {
    let sql = "SELECT id, incarnation, renewed FROM workers WHERE renewed + lease < ?";
    let read = move |conn: &Connection| sql::all(conn, sql, [steady_ms()]);
    let overdue = |(id, incarnation, renewed)| Overdue {
        id,
        incarnation,
        renewed,
    };
    Ok(readers.read(read).await?.into_iter().map(overdue).collect())
}

/// One entry of the feed.
pub(crate) type FeedEntry = (i64, String, Vec<u8>);

/// Entries of the feed in one look at most.
pub(crate) const FEED_PAGE: usize = 256;

/// The newest entry of the feed.
pub(crate) async fn feed_end(readers: &Readers) -> Result<i64> {
    let sql = "SELECT coalesce(max(id), 0) FROM feed";
    let (end,) = readers.read(move |conn| sql::one(conn, sql, [])).await?;
    Ok(end)
}

/// Entries after one and up to another on an exchange, all or those of some keys, oldest first.
pub(crate) async fn feed(
    readers: &Readers,
    exchange: &str,
    keys: Option<&str>,
    (after, up_to): (i64, i64),
) -> Result<Vec<FeedEntry>> {
    let sql = "SELECT id, key, body FROM feed WHERE id > ?1 AND id <= ?2 AND exchange = ?3 \
               AND (?4 IS NULL OR key IN (SELECT value FROM json_each(?4))) ORDER BY id LIMIT ?5";
    let (exchange, keys) = (exchange.to_owned(), keys.map(str::to_owned));
    let read = move |conn: &Connection| {
        sql::all(conn, sql, (after, up_to, exchange, keys, FEED_PAGE as i64))
    };
    readers.read(read).await
}

/// Owner, fence and milliseconds left of a lease that is held.
pub(crate) async fn holder(readers: &Readers, lease: &str) -> Result<Option<(String, i64, i64)>> {
    let sql = "SELECT owner, fence, until - ?1 FROM leases WHERE name = ?2 AND owner <> '' AND until > ?1";
    let lease = lease.to_owned();
    let read = move |conn: &Connection| sql::first(conn, sql, (steady_ms(), lease));
    readers.read(read).await
}

/// All entries of a space.
pub(crate) async fn entries(readers: &Readers, space: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT key, value FROM entries WHERE space = ? ORDER BY key";
    let space = space.to_owned();
    let read = move |conn: &Connection| sql::all(conn, sql, [space]);
    readers.read(read).await
}

/// Those of a space's entries that have these keys.
pub(crate) async fn entries_of(
    readers: &Readers,
    space: &str,
    keys: &[String],
) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT key, value FROM entries \
               WHERE space = ? AND key IN (SELECT value FROM json_each(?))";
    let values = (space.to_owned(), serde_json::to_string(keys)?);
    let read = move |conn: &Connection| sql::all(conn, sql, values);
    readers.read(read).await
}

/// Bytes within the file that nothing uses.
pub(crate) async fn unused_bytes(readers: &Readers) -> Result<u64> {
    let sql = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";
    let (bytes,): (i64,) = readers.read(move |conn| sql::one(conn, sql, [])).await?;
    Ok(bytes.unsigned_abs())
}

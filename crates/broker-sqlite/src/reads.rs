//! What is asked of the file without changing it.

pub(crate) mod operator;

use futures_util::Stream;
use sqlx::{SqliteExecutor, SqlitePool};

use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::pack::json;

/// Metas that have not expired, by task.
pub(crate) async fn metas<'c>(
    from: impl SqliteExecutor<'c>,
    task_ids: &[String],
) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT task_id, meta FROM results \
               WHERE task_id IN (SELECT value FROM json_each(?)) AND (expires_at IS NULL OR expires_at > ?)";
    Ok(sqlx::query_as(sql)
        .bind(json(task_ids)?)
        .bind(wall_ms())
        .fetch_all(from)
        .await?)
}

/// A saved group's result.
pub(crate) async fn group(pool: &SqlitePool, group_id: &str) -> Result<Option<Vec<u8>>> {
    let sql =
        "SELECT result FROM groups WHERE group_id = ? AND (expires_at IS NULL OR expires_at > ?)";
    Ok(sqlx::query_scalar(sql)
        .bind(group_id)
        .bind(wall_ms())
        .fetch_optional(pool)
        .await?)
}

/// Place and member of those of a chord that have ended, in order.
pub(crate) fn chord_parts(
    pool: &SqlitePool,
    group_id: &str,
) -> impl Stream<Item = sqlx::Result<(i64, Vec<u8>)>> + Unpin + Send {
    let sql = "SELECT p.place, p.member FROM chord_parts p JOIN chords c USING (group_id) \
               WHERE p.group_id = ? AND (c.expires_at IS NULL OR c.expires_at > ?) ORDER BY p.place, p.task_id";
    sqlx::query_as(sql)
        .bind(group_id.to_owned())
        .bind(wall_ms())
        .fetch(pool)
}

/// The texts that a space remembers, oldest first.
pub(crate) async fn remembered(pool: &SqlitePool, space: &str) -> Result<Vec<String>> {
    let sql = "SELECT text FROM remembered WHERE space = ? AND until > ? ORDER BY until, id";
    let remembered = sqlx::query_scalar(sql).bind(space).bind(wall_ms());
    Ok(remembered.fetch_all(pool).await?)
}

/// When the next deferred message is due, in milliseconds of the wall clock.
pub(crate) async fn next_due(pool: &SqlitePool) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT min(due) FROM messages WHERE state = 2")
            .fetch_one(pool)
            .await?,
    )
}

/// Whether a queue has something ready.
pub(crate) async fn has_ready(pool: &SqlitePool, queue: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE state = 0 AND queue = ?)";
    Ok(sqlx::query_scalar(sql).bind(queue).fetch_one(pool).await?)
}

/// An incarnation whose lease has run out.
#[derive(Clone, Debug)]
pub(crate) struct Overdue {
    pub(crate) id: i64,
    pub(crate) incarnation: String,
    pub(crate) renewed: i64,
}

/// The incarnations whose leases have run out.
pub(crate) async fn overdue(pool: &SqlitePool) -> Result<Vec<Overdue>> {
    let sql = "SELECT id, incarnation, renewed FROM workers WHERE renewed + lease < ?";
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(sql)
        .bind(steady_ms())
        .fetch_all(pool)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, incarnation, renewed)| Overdue {
            id,
            incarnation,
            renewed,
        })
        .collect())
}

/// One entry of the feed.
pub(crate) type FeedEntry = (i64, String, Vec<u8>);

/// Entries of the feed in one look at most.
pub(crate) const FEED_PAGE: usize = 256;

/// The newest entry of the feed.
pub(crate) async fn feed_end(pool: &SqlitePool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM feed")
        .fetch_one(pool)
        .await?)
}

/// Entries after one and up to another on an exchange, all or those of some keys, oldest first.
pub(crate) async fn feed(
    pool: &SqlitePool,
    exchange: &str,
    keys: Option<&str>,
    (after, up_to): (i64, i64),
) -> Result<Vec<FeedEntry>> {
    let sql = "SELECT id, key, body FROM feed WHERE id > ?1 AND id <= ?2 AND exchange = ?3 \
               AND (?4 IS NULL OR key IN (SELECT value FROM json_each(?4))) ORDER BY id LIMIT ?5";
    let query = sqlx::query_as(sql)
        .bind(after)
        .bind(up_to)
        .bind(exchange)
        .bind(keys);
    Ok(query.bind(FEED_PAGE as i64).fetch_all(pool).await?)
}

/// Owner, fence and milliseconds left of a lease that is held.
pub(crate) async fn holder(pool: &SqlitePool, lease: &str) -> Result<Option<(String, i64, i64)>> {
    let sql = "SELECT owner, fence, until - ?1 FROM leases WHERE name = ?2 AND owner <> '' AND until > ?1";
    Ok(sqlx::query_as(sql)
        .bind(steady_ms())
        .bind(lease)
        .fetch_optional(pool)
        .await?)
}

/// All entries of a space.
pub(crate) async fn entries(pool: &SqlitePool, space: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT key, value FROM entries WHERE space = ? ORDER BY key";
    Ok(sqlx::query_as(sql).bind(space).fetch_all(pool).await?)
}

/// Those of a space's entries that have these keys.
pub(crate) async fn entries_of(
    pool: &SqlitePool,
    space: &str,
    keys: &[String],
) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT key, value FROM entries \
               WHERE space = ? AND key IN (SELECT value FROM json_each(?))";
    Ok(sqlx::query_as(sql)
        .bind(space)
        .bind(json(keys)?)
        .fetch_all(pool)
        .await?)
}

/// Bytes within the file that nothing uses.
pub(crate) async fn unused_bytes(pool: &SqlitePool) -> Result<u64> {
    let sql = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";
    let bytes: i64 = sqlx::query_scalar(sql).fetch_one(pool).await?;
    Ok(bytes.unsigned_abs())
}

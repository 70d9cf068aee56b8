//! Metas: stored, found, forgotten, and told to those who watch.

use std::collections::HashSet;

use async_trait::async_trait;
use broker::Stored;
use bytes::Bytes;

use super::chords;
use super::feed::{self, Listen, RESULTS};
use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::pack::{Pack, json};
use crate::reads;

/// A SUCCESS stays, unless it has expired. Returns the tasks whose meta was written. Parameters: rows, blob, now.
const UPSERT: &str = "\
INSERT INTO results (task_id, status, expires_at, meta)
SELECT value->>'$[0][0]', value->>'$[0][1]', value->>'$[0][2]', substr(?2, value->>1, value->>2)
FROM json_each(?1) WHERE true ORDER BY key
ON CONFLICT (task_id) DO UPDATE SET status = excluded.status, expires_at = excluded.expires_at, meta = excluded.meta
WHERE results.status <> 'SUCCESS' OR results.expires_at <= ?3
RETURNING task_id";

/// What was written goes into the feed for those who watch it. Parameters: written tasks, exchange, now, rows, blob.
const TELL: &str = "\
INSERT INTO feed (exchange, key, at, body)
SELECT ?2, value->>'$[0][0]', ?3, substr(?5, value->>1, value->>2) FROM json_each(?4)
WHERE value->>'$[0][0]' IN (SELECT value FROM json_each(?1))
  AND EXISTS (SELECT 1 FROM listeners WHERE exchange = ?2 AND key = value->>'$[0][0]')
ORDER BY key";

/// A task's meta, encoded as the policy says.
#[derive(Clone, Debug)]
pub(crate) struct EncodedMeta {
    pub(crate) task_id: String,
    pub(crate) status: String,
    pub(crate) meta: Bytes,
    /// Milliseconds since 1970.
    pub(crate) expires_at: Option<i64>,
}

/// Stores metas, and says for each what came of it.
#[derive(Debug)]
pub(crate) struct Store(pub(crate) Vec<EncodedMeta>);

#[async_trait]
impl Operation for Store {
    type Output = Vec<Stored>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Stored>> {
        store(tx, &self.0).await
    }
}

/// Stores metas in order. Several of one task go into statements of their own, so that each follows the rule for itself.
pub(crate) async fn store(tx: &mut Tx<'_>, metas: &[EncodedMeta]) -> Result<Vec<Stored>> {
    let mut outcome = Vec::with_capacity(metas.len());
    let mut rest = metas;
    while !rest.is_empty() {
        let (distinct, after) = rest.split_at(distinct_prefix(rest));
        let written = store_distinct(tx, distinct).await?;
        outcome.extend(
            distinct
                .iter()
                .map(|meta| match written.contains(&meta.task_id) {
                    true => Stored::Written,
                    false => Stored::KeptSuccess,
                }),
        );
        rest = after;
    }
    Ok(outcome)
}

/// How many metas from the start are of different tasks.
fn distinct_prefix(metas: &[EncodedMeta]) -> usize {
    let mut seen = HashSet::new();
    metas
        .iter()
        .take_while(|meta| seen.insert(&meta.task_id))
        .count()
}

async fn store_distinct(tx: &mut Tx<'_>, metas: &[EncodedMeta]) -> Result<HashSet<String>> {
    let mut pack = Pack::new();
    for EncodedMeta {
        task_id,
        status,
        meta,
        expires_at,
    } in metas
    {
        pack.push((task_id, status, expires_at), meta);
    }
    let (rows, blob) = pack.into_parts()?;
    let upsert = sqlx::query_scalar(UPSERT)
        .bind(&rows)
        .bind(&blob[..])
        .bind(wall_ms());
    let written: Vec<String> = upsert.fetch_all(&mut *tx.conn).await?;
    if feed::anybody_listens(tx, RESULTS).await? {
        let tell = sqlx::query(TELL)
            .bind(json(&written)?)
            .bind(RESULTS)
            .bind(steady_ms())
            .bind(rows)
            .bind(blob);
        if tell.execute(&mut *tx.conn).await?.rows_affected() > 0 {
            tx.ring(News::Feed);
        }
    }
    Ok(written.into_iter().collect())
}

/// Registers a watcher, or renews it. The output is where in the feed it begins and what is stored already, or `None` if it
/// was registered.
#[derive(Debug)]
pub(crate) struct Watch(pub(crate) Listen);

#[async_trait]
impl Operation for Watch {
    type Output = Option<(i64, Vec<Vec<u8>>)>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Self::Output> {
        let Some(after) = self.0.apply(tx).await? else {
            return Ok(None);
        };
        let stored = reads::metas(&mut *tx.conn, &self.0.keys).await?;
        Ok(Some((
            after,
            stored.into_iter().map(|(_, meta)| meta).collect(),
        )))
    }
}

/// Forgets the metas of these tasks.
#[derive(Debug)]
pub(crate) struct Forget(pub(crate) Vec<String>);

#[async_trait]
impl Operation for Forget {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let forget =
            sqlx::query("DELETE FROM results WHERE task_id IN (SELECT value FROM json_each(?))");
        forget.bind(json(&self.0)?).execute(&mut *tx.conn).await?;
        Ok(())
    }
}

/// Forgets a saved group.
#[derive(Debug)]
pub(crate) struct ForgetGroup(pub(crate) String);

#[async_trait]
impl Operation for ForgetGroup {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let forget = sqlx::query("DELETE FROM groups WHERE group_id = ?").bind(&self.0);
        forget.execute(&mut *tx.conn).await?;
        Ok(())
    }
}

/// Saves a group's result tuple.
#[derive(Debug)]
pub(crate) struct SaveGroup {
    pub(crate) group_id: String,
    pub(crate) result: Bytes,
    pub(crate) expires_at: Option<i64>,
}

#[async_trait]
impl Operation for SaveGroup {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let save = sqlx::query(
            "INSERT OR REPLACE INTO groups (group_id, result, expires_at) VALUES (?, ?, ?)",
        );
        save.bind(&self.group_id)
            .bind(&self.result[..])
            .bind(self.expires_at)
            .execute(&mut *tx.conn)
            .await?;
        Ok(())
    }
}

/// Deletes what has expired; the output is the number of metas.
#[derive(Debug)]
pub(crate) struct Expire;

#[async_trait]
impl Operation for Expire {
    type Output = u64;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<u64> {
        let now = wall_ms();
        sqlx::query("DELETE FROM groups WHERE expires_at <= ?")
            .bind(now)
            .execute(&mut *tx.conn)
            .await?;
        chords::expire(tx).await?;
        let done = sqlx::query("DELETE FROM results WHERE expires_at <= ?")
            .bind(now)
            .execute(&mut *tx.conn)
            .await?;
        Ok(done.rows_affected())
    }
}

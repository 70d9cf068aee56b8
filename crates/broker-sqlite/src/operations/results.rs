//! Metas: stored, found, forgotten, and told to those who watch.

use broker::Stored;
use bytes::Bytes;

use super::chords;
use super::feed::{self, Listen, RESULTS};
use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::{reads, sql};

/// A SUCCESS stays, unless it has expired. Parameters: task, state, end, meta, now.
const UPSERT: &str = "\
INSERT INTO results (task_id, status, expires_at, meta) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (task_id) DO UPDATE SET status = excluded.status, expires_at = excluded.expires_at, meta = excluded.meta
WHERE results.status <> 'SUCCESS' OR results.expires_at <= ?5";

/// What was written goes into the feed for those who watch it. Parameters: exchange, task, now, meta.
const TELL: &str = "\
INSERT INTO feed (exchange, key, at, body) SELECT ?1, ?2, ?3, ?4
WHERE EXISTS (SELECT 1 FROM listeners WHERE exchange = ?1 AND key = ?2)";

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

impl Operation for Store {
    type Output = Vec<Stored>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Stored>> {
        store(tx, &self.0)
    }
}

/// Stores metas in order, and tells of those that were written.
pub(crate) fn store<'m>(
    tx: &mut Tx<'_>,
    metas: impl IntoIterator<Item = &'m EncodedMeta>,
) -> Result<Vec<Stored>> {
    let mut metas = metas.into_iter().peekable();
    if metas.peek().is_none() {
        return Ok(Vec::new());
    }
    let somebody_listens = feed::anybody_listens(tx, RESULTS)?;
    let mut outcome = Vec::with_capacity(metas.size_hint().0);
    for meta in metas {
        let written = write(tx, meta)?;
        if written && somebody_listens {
            tell(tx, meta)?;
        }
        outcome.push(match written {
            true => Stored::Written,
            false => Stored::KeptSuccess,
        });
    }
    Ok(outcome)
}

fn write(tx: &mut Tx<'_>, meta: &EncodedMeta) -> Result<bool> {
    let EncodedMeta {
        task_id,
        status,
        meta,
        expires_at,
    } = meta;
    let row = (task_id, status, expires_at, &meta[..], wall_ms());
    Ok(sql::execute(tx.conn, UPSERT, row)? > 0)
}

fn tell(tx: &mut Tx<'_>, meta: &EncodedMeta) -> Result<()> {
    let entry = (RESULTS, &meta.task_id, steady_ms(), &meta.meta[..]);
    if sql::execute(tx.conn, TELL, entry)? > 0 {
        tx.ring(News::Feed);
    }
    Ok(())
}

/// Registers a watcher, or renews it. The output is where in the feed it begins and what is stored already, or `None` if it
/// was registered.
#[derive(Debug)]
pub(crate) struct Watch(pub(crate) Listen);

impl Operation for Watch {
    type Output = Option<(i64, Vec<Vec<u8>>)>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Self::Output> {
        let Some(after) = self.0.apply(tx)? else {
            return Ok(None);
        };
        let stored = reads::stored_metas(tx.conn, &self.0.keys)?;
        Ok(Some((after, stored.into_iter().flatten().collect())))
    }
}

/// Forgets the metas of these tasks.
#[derive(Debug)]
pub(crate) struct Forget(pub(crate) Vec<String>);

impl Operation for Forget {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let forget = "DELETE FROM results WHERE task_id = ?";
        sql::execute_each(tx.conn, forget, self.0.iter().map(|task_id| [task_id]))?;
        Ok(())
    }
}

/// Forgets a saved group.
#[derive(Debug)]
pub(crate) struct ForgetGroup(pub(crate) String);

impl Operation for ForgetGroup {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        sql::execute(tx.conn, "DELETE FROM groups WHERE group_id = ?", [&self.0])?;
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

impl Operation for SaveGroup {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let group = (&self.group_id, &self.result[..], self.expires_at);
        sql::execute(tx.conn, chords::SAVE_HEADER, group)?;
        Ok(())
    }
}

/// Deletes what has expired; the output is the number of metas.
#[derive(Debug)]
pub(crate) struct Expire;

impl Operation for Expire {
    type Output = usize;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<usize> {
        let now = wall_ms();
        sql::execute(tx.conn, "DELETE FROM groups WHERE expires_at <= ?", [now])?;
        chords::expire(tx)?;
        sql::execute(tx.conn, "DELETE FROM results WHERE expires_at <= ?", [now])
    }
}

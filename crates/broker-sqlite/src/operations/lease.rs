//! Incarnations: registered, renewed, closed, and swept when they are dead.

use broker::ResultPolicy;
use protocol::TaskMeta;

use super::publish::declare;
use super::results::store;
use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::sql;
use crate::wire;

const REGISTER: &str =
    "INSERT INTO workers (incarnation, node, lease, renewed) VALUES (?, ?, ?, ?)";
const RENEW: &str = "UPDATE workers SET renewed = ?1 WHERE id = ?2";
/// Back to where it came from: the old rank and id keep the old order. Parameters: worker, deaths to count.
const GIVE_BACK: &str = "UPDATE messages SET state = 0, holder = NULL, redelivered = 1, deaths = deaths + ?2 WHERE holder = ?1 AND state = 1";
const LOST_RUNS: &str =
    "SELECT b.body FROM messages m JOIN bodies b USING (id) WHERE m.holder = ?1 AND m.state = 3";
const DELETE_LOST_BODIES: &str =
    "DELETE FROM bodies WHERE id IN (SELECT id FROM messages WHERE holder = ?1 AND state = 3)";
const DELETE_LOST_RUNS: &str = "DELETE FROM messages WHERE holder = ?1 AND state = 3";
const END: &str = "DELETE FROM workers WHERE id = ?1 AND (?2 IS NULL OR renewed = ?2)";
const HAS_ENDED: &str = "\
SELECT EXISTS (SELECT 1 FROM results WHERE task_id = ?1
    AND status IN ('SUCCESS', 'FAILURE', 'REVOKED') AND (expires_at IS NULL OR expires_at > ?2))";

/// Registers an incarnation and declares its queues; the output is its number.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    pub(crate) incarnation: String,
    pub(crate) node: String,
    pub(crate) lease_ms: i64,
    pub(crate) queues: Vec<String>,
}

impl Operation for Register {
    type Output = i64;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<i64> {
        declare(tx, &self.queues)?;
        let Self {
            incarnation,
            node,
            lease_ms,
            ..
        } = &*self;
        let worker = (incarnation, node, lease_ms, steady_ms());
        sql::execute(tx.conn, REGISTER, worker)?;
        Ok(tx.conn.last_insert_rowid())
    }
}

/// Renews a lease; `false` when the incarnation was declared dead.
#[derive(Debug)]
pub(crate) struct Renew(pub(crate) i64);

impl Operation for Renew {
    type Output = bool;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        Ok(sql::execute(tx.conn, RENEW, (steady_ms(), self.0))? > 0)
    }
}

/// What an incarnation left behind.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Messages that are ready again.
    pub(crate) given_back: usize,
    /// Runs that were acknowledged early and had not ended.
    pub(crate) lost: Vec<TaskMeta>,
}

/// Ends an incarnation.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) worker: i64,
    /// With a value: only if it has not renewed since.
    pub(crate) if_renewed_at: Option<i64>,
    /// How the metas of lost runs are stored; `None` when results are kept elsewhere.
    pub(crate) policy: Option<ResultPolicy>,
}

impl Operation for End {
    /// `None`: it had ended already, or lives.
    type Output = Option<Left>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<Left>> {
        if sql::execute(tx.conn, END, (self.worker, self.if_renewed_at))? == 0 {
            return Ok(None);
        }
        let lost = self.take_lost_runs(tx)?;
        // One that closes gives back; one that is swept has died with what it held.
        let died = self.if_renewed_at.is_some();
        let given_back = sql::execute(tx.conn, GIVE_BACK, (self.worker, died))?;
        if given_back > 0 {
            tx.ring(News::Ready);
        }
        Ok(Some(Left { given_back, lost }))
    }
}

impl End {
    fn take_lost_runs(&self, tx: &mut Tx<'_>) -> Result<Vec<TaskMeta>> {
        let bodies: Vec<(Vec<u8>,)> = sql::all(tx.conn, LOST_RUNS, [self.worker])?;
        if bodies.is_empty() {
            return Ok(Vec::new());
        }
        let lost: Vec<TaskMeta> = bodies
            .iter()
            .filter_map(|(body,)| wire::decode_lost(body))
            .collect();
        if let Some(policy) = &self.policy {
            store_lost(tx, &lost, policy)?;
        }
        sql::execute(tx.conn, DELETE_LOST_BODIES, [self.worker])?;
        sql::execute(tx.conn, DELETE_LOST_RUNS, [self.worker])?;
        Ok(lost)
    }
}

/// Stores what tells of the losses, but for tasks whose end is known already.
fn store_lost(tx: &mut Tx<'_>, lost: &[TaskMeta], policy: &ResultPolicy) -> Result<()> {
    let now = wall_ms();
    for meta in lost {
        let (ended,): (bool,) = sql::one(tx.conn, HAS_ENDED, (&meta.task_id, now))?;
        if !ended {
            store(tx, [&wire::encode_meta(meta, policy)?])?;
        }
    }
    Ok(())
}

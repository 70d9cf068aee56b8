//! Incarnations: registered, renewed, closed, and swept when they are dead.

use async_trait::async_trait;
use broker::ResultPolicy;
use protocol::TaskMeta;

use super::publish::declare;
use super::results::store;
use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::pack::json;
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
const ENDED: &str = "\
SELECT task_id FROM results WHERE task_id IN (SELECT value FROM json_each(?1))
  AND status IN ('SUCCESS', 'FAILURE', 'REVOKED') AND (expires_at IS NULL OR expires_at > ?2)";

/// Registers an incarnation and declares its queues; the output is its number.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    pub(crate) incarnation: String,
    pub(crate) node: String,
    pub(crate) lease_ms: i64,
    pub(crate) queues: Vec<String>,
}

#[async_trait]
impl Operation for Register {
    type Output = i64;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<i64> {
        declare(tx, &self.queues).await?;
        let register = sqlx::query(REGISTER)
            .bind(&self.incarnation)
            .bind(&self.node);
        let register = register.bind(self.lease_ms).bind(steady_ms());
        Ok(register.execute(&mut *tx.conn).await?.last_insert_rowid())
    }
}

/// Renews a lease; `false` when the incarnation was declared dead.
#[derive(Debug)]
pub(crate) struct Renew(pub(crate) i64);

#[async_trait]
impl Operation for Renew {
    type Output = bool;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        let renewed = sqlx::query(RENEW)
            .bind(steady_ms())
            .bind(self.0)
            .execute(&mut *tx.conn)
            .await?;
        Ok(renewed.rows_affected() > 0)
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

#[async_trait]
impl Operation for End {
    /// `None`: it had ended already, or lives.
    type Output = Option<Left>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<Left>> {
        let end = sqlx::query("DELETE FROM workers WHERE id = ?1 AND (?2 IS NULL OR renewed = ?2)");
        let ended = end
            .bind(self.worker)
            .bind(self.if_renewed_at)
            .execute(&mut *tx.conn)
            .await?;
        if ended.rows_affected() == 0 {
            return Ok(None);
        }
        let lost = self.take_lost_runs(tx).await?;
        // One that closes gives back; one that is swept has died with what it held.
        let died = self.if_renewed_at.is_some();
        let given_back = sqlx::query(GIVE_BACK)
            .bind(self.worker)
            .bind(died)
            .execute(&mut *tx.conn)
            .await?
            .rows_affected();
        if given_back > 0 {
            tx.ring(News::Ready);
        }
        Ok(Some(Left {
            given_back: usize::try_from(given_back).unwrap_or(usize::MAX),
            lost,
        }))
    }
}

impl End {
    async fn take_lost_runs(&self, tx: &mut Tx<'_>) -> Result<Vec<TaskMeta>> {
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar(LOST_RUNS)
            .bind(self.worker)
            .fetch_all(&mut *tx.conn)
            .await?;
        if bodies.is_empty() {
            return Ok(Vec::new());
        }
        let lost: Vec<TaskMeta> = bodies
            .iter()
            .filter_map(|body| wire::decode_lost(body))
            .collect();
        if let Some(policy) = &self.policy {
            store_lost(tx, &lost, policy).await?;
        }
        sqlx::query(DELETE_LOST_BODIES)
            .bind(self.worker)
            .execute(&mut *tx.conn)
            .await?;
        sqlx::query(DELETE_LOST_RUNS)
            .bind(self.worker)
            .execute(&mut *tx.conn)
            .await?;
        Ok(lost)
    }
}

/// Stores what tells of the losses, but for tasks whose end is known already.
async fn store_lost(tx: &mut Tx<'_>, lost: &[TaskMeta], policy: &ResultPolicy) -> Result<()> {
    let task_ids: Vec<&str> = lost.iter().map(|meta| meta.task_id.as_str()).collect();
    let ended = sqlx::query_scalar(ENDED)
        .bind(json(&task_ids)?)
        .bind(wall_ms());
    let ended: Vec<String> = ended.fetch_all(&mut *tx.conn).await?;
    let unknown = lost.iter().filter(|meta| !ended.contains(&meta.task_id));
    let encoded = unknown
        .map(|meta| wire::encode_meta(meta, policy))
        .collect::<Result<Vec<_>>>()?;
    store(tx, &encoded).await.map(drop)
}

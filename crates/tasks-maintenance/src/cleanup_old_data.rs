//! `dashboard.tasks.cleanup_old_data`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use portfolio::progress::Progress;
use portfolio::store::Store;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{CLEANUP_OLD_DATA, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

use crate::artefacts;

/// The name under which deleted artefacts are counted.
const ARTEFACTS: &str = "report_artifacts";

/// Deletes what nothing needs after some days.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CleanupOldData {
    /// Days that everything is kept.
    pub days_old: i64,
    /// Only count.
    pub dry_run: bool,
}

/// What was deleted, or with `dry_run` would be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deleted {
    /// Rows by table.
    pub deleted: BTreeMap<String, u64>,
    /// Bytes of files, and of the database where it can use them again.
    pub bytes_freed: i64,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

impl FinanceTask for CleanupOldData {
    const SPEC: Spec = CLEANUP_OLD_DATA;
    type Data = Deleted;

    fn lock(&self) -> Option<String> {
        Some("cleanup_old_data".to_owned())
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Deleted>, Outcome> {
        let store = run.store().await?;
        let before = Timestamp::now() - SignedDuration::from_hours(24 * self.days_old);
        let free = store.free_bytes().await.map_err(failure)?;
        let ctx = run.ctx();
        let mut deleted = Reporter::around(ctx, async |reporter| {
            self.tables(store, before, run, &reporter).await
        })
        .await?;
        let artefacts = artefacts::delete_expired(run, before, self.dry_run).await?;
        deleted.insert(ARTEFACTS.to_owned(), artefacts.count);
        let freed = store.free_bytes().await.map_err(failure)? - free;
        Ok(Answer::Done(Deleted {
            deleted,
            bytes_freed: freed.max(0) + artefacts.bytes,
            dry_run: self.dry_run,
        }))
    }
}

impl CleanupOldData {
    async fn tables(
        &self,
        store: &Store,
        before: Timestamp,
        run: &mut Run<'_>,
        reporter: &Reporter,
    ) -> Result<BTreeMap<String, u64>, Outcome> {
        let tables = Store::perishable_tables();
        let total = tables.len() as u64;
        let mut deleted = BTreeMap::new();
        for (done, table) in (1..).zip(tables) {
            if run.must_stop() {
                run.stopped_early(format!("{} tables", total + 1 - done));
                break;
            }
            let rows = store.delete_old(table, before, self.dry_run).await;
            deleted.insert(table.to_owned(), rows.map_err(failure)?);
            reporter.report(Progress {
                phase: "delete",
                current: done,
                total,
            });
        }
        Ok(deleted)
    }
}

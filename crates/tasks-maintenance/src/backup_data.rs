//! `apps.main.tasks.backup_data`: a backup in the backup folder, and old ones away.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portfolio::Error;
use portfolio::backup::{BackupRequest, Manifest, Scope, prune, write};
use portfolio::progress::Progress;
use serde::{Deserialize, Serialize};
use tasks::arguments::Place;
use tasks::catalogue::{BACKUP_DATA, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

/// Backs up the finance database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupData {
    /// Which tables.
    pub scope: Scope,
    /// How many verified backups of this scope to keep.
    pub keep: usize,
    /// The folder; it lies under the backup root, which it is unless given.
    pub destination: Option<PathBuf>,
    /// Compress with zstd.
    pub compress: bool,
    /// Restore it into a scratch database and count.
    pub verify: bool,
}

/// What was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackedUp {
    /// The row.
    pub backup_id: i64,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// Rows by table.
    pub row_counts: BTreeMap<String, u64>,
    /// Whether it was restored into a scratch database, with as many rows.
    pub verified: bool,
    /// Old backups that were removed.
    pub pruned: Vec<PathBuf>,
}

impl FinanceTask for BackupData {
    const SPEC: Spec = BACKUP_DATA;
    type Data = BackedUp;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<BackedUp>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        let root = run.app().place(Place::Backups);
        let request = BackupRequest {
            scope: self.scope,
            folder: self.destination.clone().unwrap_or(root),
            compress: self.compress,
            verify: self.verify,
            task_id: Some(ctx.id().to_owned()),
        };
        let stop = || ctx.is_cancelled();
        let written = Reporter::around(ctx, async |reporter| {
            let mut report = |progress| reporter.report(progress);
            let manifest = write(store, &request, &mut report, &stop).await?;
            let backup_id = store.add_backup(&manifest).await?;
            report(step(0));
            let pruned = prune(store, self.scope, &request.folder, self.keep).await?;
            report(step(1));
            Ok((manifest, backup_id, pruned))
        });
        match written.await {
            Ok((manifest, backup_id, pruned)) => {
                Ok(Answer::Done(backed_up(manifest, backup_id, pruned)))
            }
            Err(error @ Error::Stopped) => Err(ctx.check().err().unwrap_or_else(|| failure(error))),
            Err(error) => Err(failure(error)),
        }
    }
}

fn step(current: u64) -> Progress {
    Progress {
        phase: "prune",
        current,
        total: 1,
    }
}

fn backed_up(manifest: Manifest, backup_id: i64, pruned: Vec<PathBuf>) -> BackedUp {
    BackedUp {
        backup_id,
        path: manifest.path,
        bytes: manifest.bytes,
        sha256: manifest.sha256,
        row_counts: manifest.row_counts,
        verified: manifest.verified,
        pruned,
    }
}

//! `apps.main.tasks.cleanup_temp_files`.

mod sweep;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tasks::arguments::Place;
use tasks::catalogue::{CLEANUP_TEMP_FILES, Spec};
use tasks::{Answer, FinanceTask, Run, failure};
use worker::Outcome;

use crate::artefacts;
use sweep::{Sweep, sweep};

/// Deletes old temporary files, and cache entries and artefacts whose time has passed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CleanupTempFiles {
    /// Hours since a file's last change that it is kept.
    pub max_age_hours: u64,
    /// The folder; it lies under the temp root, which it is unless given.
    pub temp_dir: Option<PathBuf>,
    /// Only count.
    pub dry_run: bool,
}

/// What was deleted, or with `dry_run` would be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cleaned {
    files_deleted: u64,
    dirs_deleted: u64,
    bytes_freed: u64,
    cache_entries_deleted: u64,
    artifacts_expired: u64,
    skipped_in_use: u64,
    dry_run: bool,
}

impl FinanceTask for CleanupTempFiles {
    const SPEC: Spec = CLEANUP_TEMP_FILES;
    type Data = Cleaned;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Cleaned>, Outcome> {
        let swept = self.files(run)?;
        let mut cleaned = Cleaned {
            files_deleted: swept.files_deleted,
            dirs_deleted: swept.dirs_deleted,
            bytes_freed: swept.bytes_freed,
            skipped_in_use: swept.skipped_in_use,
            dry_run: self.dry_run,
            ..Cleaned::default()
        };
        self.rows(run, &mut cleaned).await?;
        Ok(Answer::Done(cleaned))
    }
}

impl CleanupTempFiles {
    fn files(&self, run: &mut Run<'_>) -> Result<Sweep, Outcome> {
        let root = run.app().place(Place::Temp);
        std::fs::create_dir_all(&root)?;
        let folder = self.temp_dir.as_ref().unwrap_or(&root);
        let age = Duration::from_secs(self.max_age_hours.saturating_mul(3_600));
        let oldest = SystemTime::now().checked_sub(age);
        let swept = sweep(
            folder,
            oldest.unwrap_or(SystemTime::UNIX_EPOCH),
            self.dry_run,
        );
        for failed in &swept.failures {
            let path = failed.path.display().to_string();
            run.item_failed(
                "file",
                Some(path.as_str()),
                "io_error",
                failed.error.to_string(),
            );
        }
        Ok(swept)
    }

    async fn rows(&self, run: &mut Run<'_>, cleaned: &mut Cleaned) -> Result<(), Outcome> {
        let store = run.store().await?;
        let now = Timestamp::now();
        cleaned.cache_entries_deleted = store
            .delete_expired_cache(now, self.dry_run)
            .await
            .map_err(failure)?;
        let artefacts = artefacts::delete_expired(run, now, self.dry_run).await?;
        cleaned.artifacts_expired = artefacts.count;
        cleaned.bytes_freed += u64::try_from(artefacts.bytes).unwrap_or_default();
        Ok(())
    }
}

//! `finflow.core.tasks.cleanup_old_logs`.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tasks::arguments::Place;
use tasks::catalogue::{CLEANUP_OLD_LOGS, Spec};
use tasks::{Answer, FinanceTask, Run};
use worker::Outcome;

use crate::logs::{Policy, Summary, clean};

/// Compresses and deletes old log files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CleanupOldLogs {
    /// Delete after this many days.
    pub days: u32,
    /// The folder; it lies under the log root, which it is unless given.
    pub log_dir: Option<PathBuf>,
    /// Compress after this many days.
    pub compress_after_days: i64,
    /// Only count.
    pub dry_run: bool,
}

impl FinanceTask for CleanupOldLogs {
    const SPEC: Spec = CLEANUP_OLD_LOGS;
    type Data = Summary;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Summary>, Outcome> {
        let root = run.app().place(Place::Logs);
        std::fs::create_dir_all(&root)?;
        let folder = self.log_dir.unwrap_or(root);
        let policy = Policy {
            delete_after_days: self.days,
            compress_after_days: u32::try_from(self.compress_after_days).unwrap_or(u32::MAX),
            dry_run: self.dry_run,
        };
        let (summary, failures) = clean(&folder, policy, SystemTime::now())?;
        for failed in failures {
            let path = failed.path.display().to_string();
            run.item_failed(
                "file",
                Some(path.as_str()),
                "io_error",
                failed.error.to_string(),
            );
        }
        Ok(Answer::Done(summary))
    }
}

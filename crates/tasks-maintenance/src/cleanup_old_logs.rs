//! `finflow.core.tasks.cleanup_old_logs`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use portfolio::analytics::Envelope;
use serde::{Deserialize, Serialize};
use tasks::{Run, app, invalid};
use worker::{Context, Outcome, RetryPolicy, Task, TaskOptions};

use crate::logs::{Policy, Summary, clean};

const MAX_DAYS: i64 = 3_650;

/// Compresses and deletes old log files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CleanupOldLogs {
    /// Delete after this many days, 1 to 3650.
    #[serde(default = "thirty")]
    pub days: i64,
    /// The folder; it must lie under the log root, which it is unless given.
    #[serde(default)]
    pub log_dir: Option<PathBuf>,
    /// Compress after this many days, at least 1.
    #[serde(default = "seven")]
    pub compress_after_days: i64,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

fn thirty() -> i64 {
    30
}

fn seven() -> i64 {
    7
}

impl Task for CleanupOldLogs {
    const NAME: &'static str = "finflow.core.tasks.cleanup_old_logs";
    type Output = Envelope<Summary>;

    fn options() -> TaskOptions {
        TaskOptions {
            queue: Some("maintenance".to_owned()),
            time_limit: Some(300.0),
            soft_time_limit: Some(240.0),
            autoretry_for: tasks::AUTORETRY.map(str::to_owned).to_vec(),
            retry: RetryPolicy {
                max_retries: Some(3),
                retry_backoff: Some(60),
                retry_backoff_max: 600,
                ..RetryPolicy::default()
            },
            ..TaskOptions::default()
        }
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        let policy = self.policy()?;
        let mut run = Run::start(ctx);
        let root = app(ctx)?.logs();
        std::fs::create_dir_all(&root)?;
        let folder = self.folder(&root)?;
        let (summary, failures) = clean(&folder, policy, SystemTime::now())?;
        for failed in failures {
            run.item_failed(
                "file",
                "io_error",
                format!("{}: {}", failed.path.display(), failed.error),
            );
        }
        Ok(run.end(summary))
    }
}

impl CleanupOldLogs {
    fn policy(&self) -> Result<Policy, Outcome> {
        Ok(Policy {
            delete_after_days: days("days", self.days, MAX_DAYS)?,
            compress_after_days: days(
                "compress_after_days",
                self.compress_after_days,
                i64::from(u32::MAX),
            )?,
            dry_run: self.dry_run,
        })
    }

    /// The folder with all links followed, if it is in the log root.
    fn folder(&self, root: &Path) -> Result<PathBuf, Outcome> {
        let root = root.canonicalize()?;
        let asked = self
            .log_dir
            .as_ref()
            .map_or_else(|| root.clone(), |folder| root.join(folder));
        let outside = || {
            invalid(
                "log_dir",
                asked.display(),
                &format!("must be a folder under {}", root.display()),
            )
        };
        let folder = asked.canonicalize().map_err(|_| outside())?;
        if folder.starts_with(&root) && folder.is_dir() {
            Ok(folder)
        } else {
            Err(outside())
        }
    }
}

fn days(field: &str, value: i64, max: i64) -> Result<u32, Outcome> {
    let within = (1..=max)
        .contains(&value)
        .then(|| u32::try_from(value).ok())
        .flatten();
    within.ok_or_else(|| invalid(field, value, &format!("must be from 1 to {max}")))
}

//! `apps.main.tasks.update_analytics`: what users did and how tasks ran, in buckets of five minutes.

mod buckets;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, UPDATE_ANALYTICS};
use tasks::{Answer, FinanceTask, Run, failure};
use worker::Outcome;

use buckets::{Buckets, Observed};

/// Computes whole buckets again, so that late events count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateAnalytics {
    /// How far back.
    pub window_minutes: i64,
}

/// What the window holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Updated {
    /// Buckets written, the one that has just begun among them.
    pub buckets: usize,
    /// Numbers written.
    pub metrics: usize,
    /// Users who did something.
    pub active_users: usize,
    /// What they did.
    pub actions: usize,
    /// Successes among the runs that ended; null when none did.
    pub task_success_rate: Option<f64>,
}

impl FinanceTask for UpdateAnalytics {
    const SPEC: Spec = UPDATE_ANALYTICS;
    type Data = Updated;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Updated>, Outcome> {
        let store = run.store().await?;
        let window = SignedDuration::from_mins(self.window_minutes);
        let buckets = Buckets::back_from(Timestamp::now(), window);
        let (from, to) = buckets.range();
        let observed = Observed {
            actions: store.actions_between(from, to).await.map_err(failure)?,
            runs: store.runs_between(from, to).await.map_err(failure)?,
            cache_use: store.cache_use().await.map_err(failure)?,
        };
        let metrics = buckets.metrics(&observed);
        store
            .put_metrics(buckets.all(), &metrics)
            .await
            .map_err(failure)?;
        let updated = Updated {
            buckets: buckets.all().len(),
            metrics: metrics.len(),
            active_users: observed.active_users(),
            actions: observed.actions.len(),
            task_success_rate: observed.success_rate(),
        };
        Ok(if updated.actions == 0 && observed.runs.is_empty() {
            Answer::Empty(updated)
        } else {
            Answer::Done(updated)
        })
    }
}

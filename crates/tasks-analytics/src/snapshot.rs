//! `create_portfolio_snapshot`: what each portfolio was worth after a session.

use jiff::civil::Date;
use portfolio::analytics::{SnapshotData, SnapshotRequest, Status, create_snapshots};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{CREATE_PORTFOLIO_SNAPSHOT, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

/// Keeps one row for each portfolio and day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatePortfolioSnapshot {
    /// Only this user's portfolios.
    pub user_id: Option<i64>,
    /// Only this portfolio.
    pub portfolio_id: Option<i64>,
    /// The day; the session that has just closed unless given.
    pub snapshot_date: Option<Date>,
    /// Write again what has not changed.
    pub force: bool,
}

impl FinanceTask for CreatePortfolioSnapshot {
    const SPEC: Spec = CREATE_PORTFOLIO_SNAPSHOT;
    type Data = SnapshotData;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<SnapshotData>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        let request = SnapshotRequest {
            user_id: self.user_id,
            portfolio_id: self.portfolio_id,
            date: self.snapshot_date,
            force: self.force,
            ..SnapshotRequest::default()
        };
        let stop = || ctx.is_cancelled();
        let kept = Reporter::around(ctx, async |reporter| {
            let mut progress = |progress| reporter.report(progress);
            create_snapshots(store, &request, &mut progress, &stop).await
        });
        let envelope = kept.await.map_err(failure)?;
        let status = envelope.status;
        let data = run.adopt(envelope);
        Ok(match status {
            Status::Empty => Answer::Empty(data),
            _ => Answer::Done(data),
        })
    }
}

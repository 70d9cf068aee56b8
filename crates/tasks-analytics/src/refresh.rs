//! `finflow.core.tasks.refresh_portfolio_analytics`: figures of every portfolio, and the line that says so.

use std::io::Write;

use jiff::SignedDuration;
use jiff::civil::Date;
use portfolio::analytics::{RefreshData, RefreshRequest, Status, refresh};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{REFRESH_PORTFOLIO_ANALYTICS, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, Skipped, failure};
use worker::{Context, Outcome};

/// Seconds for which a lock outlives the hard limit of the run that holds it.
const MARGIN: u32 = 30;

/// Computes the figures of all active portfolios, or of some.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RefreshPortfolioAnalytics {
    /// Only this user's portfolios.
    pub user_id: Option<i64>,
    /// Only these portfolios.
    pub portfolio_ids: Option<Vec<i64>>,
    /// The last day of all figures; the last completed session of each portfolio's calendar unless given.
    pub as_of: Option<Date>,
    /// Compute again what has not changed.
    pub full: bool,
}

impl FinanceTask for RefreshPortfolioAnalytics {
    const SPEC: Spec = REFRESH_PORTFOLIO_ANALYTICS;
    type Data = RefreshData;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<RefreshData>, Outcome> {
        let ctx = run.ctx();
        let store = run.store().await?;
        let request = self.request(ctx);
        let stop = || ctx.is_cancelled();
        let refreshed = Reporter::around(ctx, async |reporter| {
            refresh(
                store,
                &request,
                &mut |progress| reporter.report(progress),
                &stop,
            )
            .await
        });
        let envelope = refreshed.await.map_err(failure)?;
        let status = envelope.status;
        let data = run.adopt(envelope);
        Ok(answer(status, data))
    }
}

/// The answer; prints the line that says that the run has ended.
fn answer(status: Status, data: RefreshData) -> Answer<RefreshData> {
    if status == Status::Skipped {
        return Answer::Skipped(Skipped {
            reason: data.reason.unwrap_or_default(),
            holder: data.holder,
            next_open: None,
        });
    }
    announce();
    match status {
        Status::Empty => Answer::Empty(data),
        _ => Answer::Done(data),
    }
}

impl RefreshPortfolioAnalytics {
    fn request(self, ctx: &Context) -> RefreshRequest {
        RefreshRequest {
            user_id: self.user_id,
            portfolio_ids: self.portfolio_ids,
            as_of: self.as_of,
            full: self.full,
            lease: SignedDuration::from_secs(
                (REFRESH_PORTFOLIO_ANALYTICS.limits.hard_s + MARGIN).into(),
            ),
            ..RefreshRequest::new(ctx.id())
        }
    }
}

/// Prints exactly one line; a closed standard output is nobody's loss.
fn announce() {
    let mut output = std::io::stdout().lock();
    let _ = output
        .write_all(b"Analytics refreshed\n")
        .and_then(|()| output.flush());
}

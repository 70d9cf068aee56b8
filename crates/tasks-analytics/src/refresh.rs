//! `finflow.core.tasks.refresh_portfolio_analytics`: figures of every portfolio, and the line that says so.

use std::io::Write;

use jiff::SignedDuration;
use jiff::civil::Date;
use portfolio::analytics::{Envelope, RefreshData, RefreshRequest, Status, refresh};
use serde::{Deserialize, Serialize};
use tasks::{AUTORETRY, Reporter, app, failure};
use worker::{Context, Outcome, RetryPolicy, Task, TaskOptions};

/// Seconds; the lock of a run outlives it by [`MARGIN`].
const TIME_LIMIT: u32 = 300;
const SOFT_TIME_LIMIT: u32 = 240;
/// Seconds for which a lock outlives the hard limit of the run that holds it.
const MARGIN: u32 = 30;

/// Computes the figures of all active portfolios, or of some.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshPortfolioAnalytics {
    /// Only this user's portfolios.
    #[serde(default)]
    pub user_id: Option<i64>,
    /// Only these portfolios.
    #[serde(default)]
    pub portfolio_ids: Option<Vec<i64>>,
    /// The last day of all figures; the last completed session of each portfolio's calendar unless given.
    #[serde(default)]
    pub as_of: Option<Date>,
    /// Compute again what has not changed.
    #[serde(default)]
    pub full: bool,
}

impl Task for RefreshPortfolioAnalytics {
    const NAME: &'static str = "finflow.core.tasks.refresh_portfolio_analytics";
    type Output = Envelope<RefreshData>;

    fn options() -> TaskOptions {
        TaskOptions {
            queue: Some("analytics".to_owned()),
            time_limit: Some(TIME_LIMIT.into()),
            soft_time_limit: Some(SOFT_TIME_LIMIT.into()),
            autoretry_for: AUTORETRY.map(str::to_owned).to_vec(),
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
        let store = app(ctx)?.store().await?;
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
        if envelope.status != Status::Skipped {
            announce();
        }
        Ok(envelope)
    }
}

impl RefreshPortfolioAnalytics {
    fn request(self, ctx: &Context) -> RefreshRequest {
        RefreshRequest {
            user_id: self.user_id,
            portfolio_ids: self.portfolio_ids,
            as_of: self.as_of,
            full: self.full,
            lease: SignedDuration::from_secs((TIME_LIMIT + MARGIN).into()),
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

//! `weekly_portfolio_maintenance`: finds and repairs what a week has left behind. Every step is a transaction of its own and does
//! nothing when there is nothing to repair.

use std::collections::BTreeSet;
use std::path::Path;

use calendar::Calendars;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use market_data::{GapReport, Updater};
use portfolio::analytics::{SnapshotRequest, create_snapshots, view};
use portfolio::progress::Progress;
use portfolio::store::Store;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, WEEKLY_PORTFOLIO_MAINTENANCE};
use tasks::{Answer, FinanceTask, Reporter, Run, failure, items_failed};
use worker::Outcome;

/// A session counts from this long after its close.
const AFTER_CLOSE: SignedDuration = SignedDuration::from_mins(30);

/// Looks for gaps, duplicates, old snapshots and orphans.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WeeklyPortfolioMaintenance {
    /// Days whose snapshots are made anew when their input has changed.
    pub rebuild_days: i64,
    /// Only report what would be done; snapshots are left out.
    pub dry_run: bool,
}

/// The fields of its result.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MaintenanceData {
    /// Sessions of held assets without a price.
    pub price_gaps: usize,
    /// Prices that were brought.
    pub gaps_filled: u64,
    /// Groups of transactions that look alike.
    pub duplicates_flagged: usize,
    /// Snapshots that were new or out of date.
    pub snapshots_rebuilt: usize,
    /// Rows and artefacts that belonged to nothing.
    pub orphans_removed: u64,
    /// Portfolios whose ledger cannot be booked.
    pub ledger_errors: usize,
    /// Whether the database gave room back.
    pub vacuumed: bool,
}

impl FinanceTask for WeeklyPortfolioMaintenance {
    const SPEC: Spec = WEEKLY_PORTFOLIO_MAINTENANCE;
    type Data = MaintenanceData;

    fn lock(&self) -> Option<String> {
        Some(Self::SPEC.name.to_owned())
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<MaintenanceData>, Outcome> {
        let ctx = run.ctx();
        let ended = Reporter::around(ctx, async |reporter| self.steps(run, &reporter).await);
        ended.await.map(Answer::Done)
    }
}

impl WeeklyPortfolioMaintenance {
    async fn steps(
        &self,
        run: &mut Run<'_>,
        reporter: &Reporter,
    ) -> Result<MaintenanceData, Outcome> {
        let store = run.store().await?;
        let mut data = MaintenanceData::default();
        let found = self.gaps(run, store, reporter).await?;
        data.price_gaps = found.gaps.iter().map(|gap| gap.sessions).sum();
        data.gaps_filled = found.filled;
        items_failed(run, &found.errors);
        begin(reporter, "duplicates");
        data.duplicates_flagged = flag_duplicates(run, store).await?;
        data.ledger_errors = audit(run, store).await?;
        if !self.dry_run {
            begin(reporter, "snapshots");
            data.snapshots_rebuilt = self.snapshots(run, store).await?;
        }
        begin(reporter, "orphans");
        let orphans = self.orphans(store, run.app().data()).await;
        data.orphans_removed = orphans.map_err(failure)?;
        if !self.dry_run && !run.must_stop() {
            begin(reporter, "vacuum");
            store.vacuum().await.map_err(failure)?;
            data.vacuumed = true;
        }
        reporter.report(Progress {
            phase: "vacuum",
            current: 1,
            total: 1,
        });
        Ok(data)
    }

    async fn gaps(
        &self,
        run: &Run<'_>,
        store: &Store,
        reporter: &Reporter,
    ) -> Result<GapReport, Outcome> {
        let ctx = run.ctx();
        let updater = Updater::new(store, run.app().providers(), Timestamp::now());
        let mut progress = |progress| reporter.report(progress);
        let stop = || ctx.is_cancelled();
        let report = updater.gaps(self.dry_run, &mut progress, &stop).await;
        report.map_err(failure)
    }

    /// Snapshots of the last days whose input has changed; those of one calendar day by day.
    async fn snapshots(&self, run: &mut Run<'_>, store: &Store) -> Result<usize, Outcome> {
        let rows = store.portfolios(None).await.map_err(failure)?;
        let active = rows.iter().filter(|row| row.is_active);
        let calendars: BTreeSet<&str> = active.clone().map(|row| row.calendar.as_str()).collect();
        let mut rebuilt = 0;
        for mic in &calendars {
            let portfolios: Vec<Option<i64>> = if calendars.len() == 1 {
                vec![None]
            } else {
                let own = active.clone().filter(|row| row.calendar == *mic);
                own.map(|row| Some(row.id)).collect()
            };
            for date in self.sessions(mic).map_err(failure)? {
                for portfolio_id in &portfolios {
                    if run.must_stop() {
                        run.stopped_early(format!("the snapshots since {date}"));
                        return Ok(rebuilt);
                    }
                    rebuilt += snapshot(run, store, *portfolio_id, date).await?;
                }
            }
        }
        Ok(rebuilt)
    }

    fn sessions(&self, mic: &str) -> portfolio::Result<Vec<Date>> {
        let calendar = Calendars::from_env().get(mic)?;
        let then = Timestamp::now().checked_sub(AFTER_CLOSE);
        let last = calendar.last_completed(then.unwrap_or(Timestamp::MIN));
        Ok(calendar.sessions(last.saturating_sub(self.rebuild_days.days()), last))
    }

    async fn orphans(&self, store: &Store, data: &Path) -> portfolio::Result<u64> {
        let artefacts = store.artefact_paths().await?;
        let gone = artefacts
            .into_iter()
            .filter(|(_, path)| !data.join(path).exists());
        let gone: Vec<i64> = gone.map(|(id, _)| id).collect();
        if self.dry_run {
            return Ok(gone.len() as u64 + store.count_orphans().await?);
        }
        Ok(store.forget_artefacts(&gone).await? + store.remove_orphans().await?)
    }
}

fn begin(reporter: &Reporter, phase: &'static str) {
    reporter.report(Progress {
        phase,
        current: 0,
        total: 1,
    });
}

/// Makes one day's snapshots where their input has changed; returns how many.
async fn snapshot(
    run: &mut Run<'_>,
    store: &Store,
    portfolio_id: Option<i64>,
    date: Date,
) -> Result<usize, Outcome> {
    let request = SnapshotRequest {
        portfolio_id,
        date: Some(date),
        calendars: Calendars::from_env(),
        ..SnapshotRequest::default()
    };
    match create_snapshots(store, &request, &mut |_| {}, &|| false).await {
        Ok(envelope) => Ok(envelope.data.created + envelope.data.updated),
        // The audit has told about these ledgers already.
        Err(portfolio::Error::EveryPortfolioFailed { .. }) => Ok(0),
        Err(error) => {
            if let portfolio::Error::InvalidArgument { .. } | portfolio::Error::NotFound { .. } =
                error
            {
                run.warn(
                    "snapshot",
                    None::<i64>,
                    "snapshot_skipped",
                    error.to_string(),
                );
                return Ok(0);
            }
            Err(failure(error))
        }
    }
}

async fn flag_duplicates(run: &mut Run<'_>, store: &Store) -> Result<usize, Outcome> {
    let groups = store.alike_transactions().await.map_err(failure)?;
    for ids in &groups {
        let message = format!("transactions {ids} look alike: all count, delete the ones too many");
        run.warn(
            "transaction",
            Some(ids.as_str()),
            "possible_duplicate",
            message,
        );
    }
    Ok(groups.len())
}

/// Books every ledger; returns how many cannot be.
async fn audit(run: &mut Run<'_>, store: &Store) -> Result<usize, Outcome> {
    let mut wrong = 0;
    for user in store.users().await.map_err(failure)? {
        let view = view(store, user.id, None, None).await.map_err(failure)?;
        for portfolio in &view.portfolios {
            if let Err(error) = portfolio.walk(&view.market, Vec::new()) {
                let id = Some(portfolio.row().id);
                run.item_failed("portfolio", id, error.code(), error.to_string());
                wrong += 1;
            }
        }
    }
    Ok(wrong)
}

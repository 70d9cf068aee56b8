//! The run: portfolios by day, in portions; the rows of a portion in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use tokio::task::spawn_blocking;

use super::super::batch::Engine;
use super::super::compute::{Job, failure};
use super::super::envelope::{Envelope, Issue};
use super::super::hash;
use super::super::load::{self, Changed, Target};
use super::compute::Snapshots;
use super::request::{SnapshotData, SnapshotRequest};
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use crate::progress::Progress;
use crate::store::{KeptSnapshot, PortfolioRow, Snapshot, Store};

/// The registered name of the task.
const TASK: &str = "create_portfolio_snapshot";
/// Portfolios that are loaded, computed and saved together.
const PORTION: usize = 256;

/// Keeps snapshots. Returns `partial` when a portfolio failed or `should_stop` said so (it is asked between portions;
/// what is done is saved).
///
/// # Errors
/// Wrong arguments, a missing or foreign id, a database error, or every portfolio failing.
pub async fn create_snapshots(
    store: &Store,
    request: &SnapshotRequest,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<Envelope<SnapshotData>> {
    request.check()?;
    let started = (request.clock)();
    let rows = load::scope(store, &request.scope(None)).await?;
    let mut run = Run {
        store,
        request,
        total: rows.len(),
        done: 0,
        data: SnapshotData::default(),
        warnings: Vec::new(),
        errors: Vec::new(),
    };
    run.all(rows, progress, should_stop).await?;
    let mut envelope = run.finish()?;
    let elapsed = (request.clock)().duration_since(started).as_millis();
    envelope.duration_ms = u64::try_from(elapsed).unwrap_or_default();
    Ok(envelope)
}

/// The state of a run.
struct Run<'r> {
    store: &'r Store,
    request: &'r SnapshotRequest,
    total: usize,
    done: usize,
    data: SnapshotData,
    warnings: Vec<Issue>,
    errors: Vec<Issue>,
}

/// What the portfolios of one day share.
struct Shared {
    date: Date,
    revisions: hash::Revisions,
    shorts: BTreeSet<AccountId>,
}

impl Run<'_> {
    async fn all(
        &mut self,
        rows: Vec<PortfolioRow>,
        progress: &mut (dyn FnMut(Progress) + Send + Sync),
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        self.report(progress);
        for (date, rows) in self.by_day(rows) {
            let shared = self.shared(date).await?;
            let mut engine = Arc::new(Engine::default());
            self.data.date = self.data.date.max(Some(date));
            for portion in rows.chunks(PORTION) {
                if should_stop() {
                    self.errors.push(Issue::stopped(self.total - self.done));
                    return Ok(());
                }
                self.portion(portion, &shared, &mut engine).await?;
                self.done += portion.len();
                self.report(progress);
            }
        }
        Ok(())
    }

    fn report(&self, progress: &mut (dyn FnMut(Progress) + Send + Sync)) {
        progress(Progress {
            phase: "portfolios",
            current: self.done as u64,
            total: self.total as u64,
        });
    }

    /// Calendars close at different times; an unknown one fails its portfolios.
    fn by_day(&mut self, rows: Vec<PortfolioRow>) -> BTreeMap<Date, Vec<PortfolioRow>> {
        let mut days: BTreeMap<Date, Vec<PortfolioRow>> = BTreeMap::new();
        for row in rows {
            match self.request.calendars.get(&row.calendar) {
                Ok(calendar) => {
                    let day = self.request.day(&calendar);
                    days.entry(day).or_default().push(row);
                }
                Err(error) => {
                    self.done += 1;
                    self.fail(failure(row.id, "unknown_calendar", &error));
                }
            }
        }
        days
    }

    fn fail(&mut self, issue: Issue) {
        self.data.failed += 1;
        self.errors.push(issue);
    }

    async fn shared(&self, date: Date) -> Result<Shared> {
        let rates = self.store.rates().await?;
        let shorts: BTreeSet<AccountId> = self.store.short_accounts().await?.into_iter().collect();
        Ok(Shared {
            date,
            revisions: load::revisions(self.store, &rates, &shorts, Some(date)).await?,
            shorts,
        })
    }

    async fn portion(
        &mut self,
        rows: &[PortfolioRow],
        shared: &Shared,
        engine: &mut Arc<Engine>,
    ) -> Result<()> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let kept = self.store.kept_snapshots(&ids, shared.date).await?;
        let previous = self.store.previous_snapshots(&ids, shared.date).await?;
        let changed = self.changed(rows, shared, &kept, &previous).await?;
        let named = changed
            .iter()
            .flat_map(|changed| changed.assets.iter().copied());
        if let Some(assets) = engine.lacks(named) {
            *engine = Arc::new(Engine::new(self.store.market_read(&assets).await?));
        }
        let index = engine.asset_index();
        let jobs = changed
            .into_iter()
            .map(|changed| changed.job(&index, &shared.shorts));
        let jobs: Vec<Job> = jobs.collect();
        let (engine, making) = (Arc::clone(engine), Snapshots { previous });
        let work = move || (engine.make_all(&making, &jobs), jobs);
        let (results, jobs) = spawn_blocking(work).await.map_err(Error::Computation)?;
        let mut snapshots = Vec::with_capacity(jobs.len());
        for (job, result) in jobs.iter().zip(results) {
            match result {
                Err(issue) => self.fail(issue),
                Ok(None) => self
                    .warnings
                    .push(nothing_yet(job.target.row.id, shared.date)),
                Ok(Some(snapshot)) => snapshots.push(snapshot),
            }
        }
        self.save(snapshots, &kept).await
    }

    /// The portfolios whose rows are not current; the others are counted.
    async fn changed(
        &mut self,
        rows: &[PortfolioRow],
        shared: &Shared,
        kept: &BTreeMap<i64, KeptSnapshot>,
        previous: &HashMap<i64, Date>,
    ) -> Result<Vec<Changed>> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut entries = self.store.entries(&ids).await?;
        let scope = self.request.scope(Some(shared.date));
        let mut changed = Vec::new();
        for row in rows {
            let mut own = entries.remove(&row.id).unwrap_or_default();
            own.retain(|stored| stored.entry.date <= shared.date);
            let calendar = self.request.calendars.get(&row.calendar)?;
            let (mut target, assets) = load::target(&scope, row, &own, calendar, &shared.revisions);
            let before_text = format!("{:?}", previous.get(&row.id));
            target.hash = hash::joined([target.hash.as_str(), &before_text].into_iter());
            match kept.get(&row.id) {
                Some(kept) if kept.input_hash == target.hash && !self.request.force => {
                    self.data.unchanged += 1;
                    self.add(&target, kept);
                }
                _ => changed.push(Changed {
                    target,
                    entries: own,
                    assets,
                }),
            }
        }
        Ok(changed)
    }

    fn add(&mut self, target: &Target, kept: &KeptSnapshot) {
        let currency = target.row.base_currency.to_string();
        *self.data.nav_total.entry(currency).or_default() += kept.nav;
    }

    async fn save(
        &mut self,
        mut snapshots: Vec<Snapshot>,
        kept: &BTreeMap<i64, KeptSnapshot>,
    ) -> Result<()> {
        snapshots.retain(|snapshot| self.is_consistent(snapshot, kept.get(&snapshot.portfolio_id)));
        let now = (self.request.clock)();
        self.store.put_snapshots(&snapshots, now).await?;
        for snapshot in snapshots {
            match kept.get(&snapshot.portfolio_id) {
                Some(_) => self.data.updated += 1,
                None => self.data.created += 1,
            }
            let currency = snapshot.base_currency.to_string();
            *self.data.nav_total.entry(currency).or_default() += snapshot.nav;
        }
        Ok(())
    }

    /// Equal input must give an equal value: else something is computed differently from run to run.
    fn is_consistent(&mut self, snapshot: &Snapshot, kept: Option<&KeptSnapshot>) -> bool {
        let same = kept.filter(|kept| kept.input_hash == snapshot.input_hash);
        let Some(kept) = same.filter(|kept| kept.nav != snapshot.nav) else {
            return true;
        };
        let message = format!(
            "the snapshot of {} holds {}, a fresh valuation of the same input gives {}",
            snapshot.date, kept.nav, snapshot.nav
        );
        let id = snapshot.portfolio_id;
        self.fail(failure(id, "internal_inconsistency", &message));
        false
    }

    fn finish(self) -> Result<Envelope<SnapshotData>> {
        let (as_of, failed) = (self.data.date, self.data.failed);
        let envelope = Envelope::of_portfolios(TASK, self.total, failed, self.data, self.errors)?;
        Ok(Envelope {
            as_of,
            warnings: self.warnings,
            ..envelope
        })
    }
}

fn nothing_yet(id: i64, date: Date) -> Issue {
    let message = format!("nothing has happened until {date}: there is no snapshot");
    failure(id, "nothing_yet", &message)
}

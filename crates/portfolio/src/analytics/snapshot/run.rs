//! The run: portfolios by day, in portions; each portfolio's row in a transaction of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use tokio::task::spawn_blocking;

use super::super::compute::{Job, failure};
use super::super::envelope::{Envelope, Issue};
use super::super::hash;
use super::super::load::{self, Target};
use super::compute::{Task, snapshot};
use super::request::{SnapshotData, SnapshotRequest};
use crate::cores::on_every_core;
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use crate::market::Market;
use crate::progress::Progress;
use crate::store::{KeptSnapshot, PortfolioRow, Snapshot, Store, asset_index};

/// The registered name of the task.
const TASK: &str = "create_portfolio_snapshot";
/// Portfolios that are loaded, computed and saved together.
const PORTION: usize = 64;

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
            self.data.date = self.data.date.max(Some(date));
            for portion in rows.chunks(PORTION) {
                if should_stop() {
                    self.errors.push(Issue::stopped(self.total - self.done));
                    return Ok(());
                }
                self.portion(portion, &shared).await?;
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

    async fn portion(&mut self, rows: &[PortfolioRow], shared: &Shared) -> Result<()> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let kept = self.store.kept_snapshots(&ids, shared.date).await?;
        let (tasks, market) = self.tasks(rows, shared, &kept).await?;
        let work = move || {
            let results = on_every_core(&tasks, |task| snapshot(&market, task));
            (results, tasks)
        };
        let (results, tasks) = spawn_blocking(work).await.map_err(Error::Computation)?;
        for (task, result) in tasks.iter().zip(results) {
            let id = task.job.target.row.id;
            match result {
                Err(issue) => self.fail(issue),
                Ok(None) => self.warnings.push(nothing_yet(id, shared.date)),
                Ok(Some(snapshot)) => self.save(&snapshot, kept.get(&id)).await?,
            }
        }
        Ok(())
    }

    /// The portfolios whose rows are not current, with the market that they need; the others are counted.
    async fn tasks(
        &mut self,
        rows: &[PortfolioRow],
        shared: &Shared,
        kept: &BTreeMap<i64, KeptSnapshot>,
    ) -> Result<(Vec<Task>, Arc<Market>)> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut entries = self.store.entries(&ids).await?;
        let previous = self.store.previous_snapshots(&ids, shared.date).await?;
        let scope = self.request.scope(Some(shared.date));
        let (mut changed, mut assets) = (Vec::new(), BTreeSet::new());
        for row in rows {
            let mut own = entries.remove(&row.id).unwrap_or_default();
            own.retain(|stored| stored.entry.date <= shared.date);
            let calendar = self.request.calendars.get(&row.calendar)?;
            let (mut target, named) = load::target(&scope, row, &own, calendar, &shared.revisions);
            let before = previous.get(&row.id).copied();
            let before_text = format!("{before:?}");
            target.hash = hash::joined([target.hash.as_str(), &before_text].into_iter());
            match kept.get(&row.id) {
                Some(kept) if kept.input_hash == target.hash && !self.request.force => {
                    self.data.unchanged += 1;
                    self.add(&target, kept);
                }
                _ => {
                    assets.extend(named);
                    changed.push((target, own, before));
                }
            }
        }
        let assets: Vec<i64> = assets.into_iter().collect();
        let market = self.store.market(&assets).await?;
        let index = asset_index(&market);
        let task = |(target, own, previous): (Target, Vec<_>, _)| Task {
            job: Job::new(target, &own, &index, &shared.shorts),
            previous,
        };
        let tasks = changed.into_iter().map(task).collect();
        Ok((tasks, Arc::new(market)))
    }

    fn add(&mut self, target: &Target, kept: &KeptSnapshot) {
        let currency = target.row.base_currency.to_string();
        *self.data.nav_total.entry(currency).or_default() += kept.nav;
    }

    /// Equal input must give an equal value: else something is computed differently from run to run.
    async fn save(&mut self, snapshot: &Snapshot, kept: Option<&KeptSnapshot>) -> Result<()> {
        let same = kept.filter(|kept| kept.input_hash == snapshot.input_hash);
        if let Some(kept) = same.filter(|kept| kept.nav != snapshot.nav) {
            let message = format!(
                "the snapshot of {} holds {}, a fresh valuation of the same input gives {}",
                snapshot.date, kept.nav, snapshot.nav
            );
            let id = snapshot.portfolio_id;
            self.fail(failure(id, "internal_inconsistency", &message));
            return Ok(());
        }
        let now = (self.request.clock)();
        self.store.put_snapshot(snapshot, now).await?;
        match kept {
            Some(_) => self.data.updated += 1,
            None => self.data.created += 1,
        }
        let currency = snapshot.base_currency.to_string();
        *self.data.nav_total.entry(currency).or_default() += snapshot.nav;
        Ok(())
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

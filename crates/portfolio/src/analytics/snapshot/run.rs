//! The run: portfolios by day, in portions; the rows of a portion in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::{OptionFuture, try_join};
use jiff::civil::Date;

use super::super::batch::Engine;
use super::super::calendars::MadeCalendars;
use super::super::compute::failure;
use super::super::envelope::{Envelope, Issue};
use super::super::hash;
use super::super::load::{self, Changed, Ledgers};
use super::super::portion::{Computed, PORTION, Portion};
use super::super::request::RefreshRequest;
use super::super::states::Resume;
use super::compute::Snapshots;
use super::request::{SnapshotData, SnapshotRequest};
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use crate::money::Currency;
use crate::progress::Progress;
use crate::store::{KeptSnapshot, PortfolioRow, Snapshot, Store};

/// The registered name of the task.
const TASK: &str = "create_portfolio_snapshot";

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
    let rows = load::scope(store, &request.scope()).await?;
    let mut run = Run {
        store,
        request,
        total: rows.len(),
        done: 0,
        data: SnapshotData::default(),
        warnings: Vec::new(),
        errors: Vec::new(),
        stopped: false,
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
    stopped: bool,
}

/// What the portfolios of one day share.
struct Shared {
    date: Date,
    inputs: load::Shared,
    shorts: BTreeSet<AccountId>,
}

/// Portfolios that are handled together, as they are loaded.
struct Loaded {
    size: usize,
    making: Snapshots,
    changed: Vec<Changed>,
}

impl Loaded {
    fn sort_out(&mut self, changed: Changed, force: bool) {
        let target = &changed.target;
        let kept = self.making.kept.get(&target.row.id);
        match kept.filter(|kept| kept.input_hash == target.hash && !force) {
            Some(kept) => {
                let value = (target.row.base_currency, kept.nav);
                self.making.unchanged.push(value);
            }
            None => self.changed.push(changed),
        }
    }
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
            self.data.date = self.data.date.max(Some(date));
            self.day(date, &rows, progress, should_stop).await?;
            if self.stopped {
                self.errors.push(Issue::stopped(self.total - self.done));
                break;
            }
        }
        Ok(())
    }

    async fn day(
        &mut self,
        date: Date,
        rows: &[PortfolioRow],
        progress: &mut (dyn FnMut(Progress) + Send + Sync),
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<()> {
        let resumed = Resume::RightToTheEnd;
        let again = self
            .portions(date, rows, resumed, progress, should_stop)
            .await?;
        self.done -= again.len();
        if again.is_empty() || self.stopped {
            return Ok(());
        }
        self.portions(date, &again, Resume::Nothing, progress, should_stop)
            .await
            .map(drop)
    }

    /// Makes the snapshots of portfolios; returns those whose rows are needed. While one portion is computed, the one before is
    /// saved, and the next is loaded and made ready.
    async fn portions(
        &mut self,
        date: Date,
        rows: &[PortfolioRow],
        resume: Resume,
        progress: &mut (dyn FnMut(Progress) + Send + Sync),
        should_stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<PortfolioRow>> {
        let shared = self.shared(date).await?;
        let mut again = Vec::new();
        let mut engine = Arc::new(Engine::default());
        let mut portions = rows.chunks(PORTION);
        let loaded = self.load(portions.next(), &shared, resume).await?;
        let mut ready = self.ready(loaded, &mut engine, &shared).await?;
        let mut computing = None;
        while computing.is_some() || ready.is_some() {
            let done = OptionFuture::from(computing.take()).await.transpose();
            self.stopped = ready.is_some() && should_stop();
            let next = ready.take().filter(|_| !self.stopped);
            computing = next.map(|portion| portion.begin(&engine));
            let done = done.map_err(Error::Computation)?;
            let finished = self.note(done, date, &mut again).await?;
            self.report(progress);
            let next = portions.next().filter(|_| !self.stopped);
            let loading = self.load(next, &shared, resume);
            let ((), loaded) = try_join(self.save(finished), loading).await?;
            ready = self.ready(loaded, &mut engine, &shared).await?;
        }
        Ok(again)
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
        let mut calendars = MadeCalendars::new(&self.request.calendars);
        for row in rows {
            match calendars.get(&row.calendar) {
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
            inputs: load::Shared::read(self.store, &rates, &shorts, Some(date)).await?,
            shorts,
        })
    }

    /// Decides which of some portfolios need a new row.
    async fn load(
        &self,
        rows: Option<&[PortfolioRow]>,
        shared: &Shared,
        resume: Resume,
    ) -> Result<Option<Loaded>> {
        let Some(rows) = rows else {
            return Ok(None);
        };
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let making = Snapshots {
            kept: self.store.kept_snapshots(&ids, shared.date).await?,
            previous: self.store.previous_snapshots(&ids, shared.date).await?,
            unchanged: Vec::new(),
        };
        let mut portion = Loaded {
            size: rows.len(),
            making,
            changed: Vec::new(),
        };
        let request = RefreshRequest {
            as_of: Some(shared.date),
            ..self.request.scope()
        };
        let mut calendars = MadeCalendars::new(&self.request.calendars);
        let inputs = &shared.inputs;
        let ledgers = Ledgers::load(self.store, &request, rows, inputs, &mut calendars, resume);
        let mut ledgers = ledgers.await?;
        for row in rows {
            let (ledger, digest) = ledgers.until(row.id, shared.date, &inputs.grounds);
            let calendar = calendars.get(&row.calendar)?;
            let (mut target, assets) =
                load::target(row, &digest, calendar, shared.date, &inputs.revisions);
            let before_text = format!("{:?}", portion.making.previous.get(&row.id));
            target.hash = hash::joined([target.hash.as_str(), &before_text].into_iter());
            let changed = Changed {
                target,
                ledger,
                assets,
            };
            portion.sort_out(changed, self.request.force);
        }
        Ok(Some(portion))
    }

    fn count_unchanged(&mut self, unchanged: &[(Currency, Decimal)]) {
        self.data.unchanged += unchanged.len();
        for (currency, nav) in unchanged {
            self.add(*currency, *nav);
        }
    }

    fn add(&mut self, currency: Currency, nav: Decimal) {
        *self.data.nav_total.entry(currency.to_string()).or_default() += nav;
    }

    /// What is to be computed, and an engine that knows all assets of it.
    async fn ready(
        &self,
        loaded: Option<Loaded>,
        engine: &mut Arc<Engine>,
        shared: &Shared,
    ) -> Result<Option<Portion<Snapshots>>> {
        let Some(loaded) = loaded else {
            return Ok(None);
        };
        let Loaded {
            size,
            making,
            changed,
        } = loaded;
        let portion = Portion::ready(self.store, engine, &shared.shorts, changed, making, size);
        portion.await.map(Some)
    }

    /// Counts what was made, and returns what is to be stored.
    async fn note(
        &mut self,
        done: Option<Computed<Snapshots>>,
        date: Date,
        again: &mut Vec<PortfolioRow>,
    ) -> Result<Vec<Snapshot>> {
        let Some((portion, outcomes)) = done else {
            return Ok(Vec::new());
        };
        self.count_unchanged(&portion.making.unchanged);
        let mut snapshots = Vec::with_capacity(outcomes.len());
        for (job, outcome) in portion.jobs.into_iter().zip(outcomes) {
            match outcome {
                None => again.push(job.target.row),
                Some(Err(issue)) => self.fail(issue),
                Some(Ok(None)) => self.warnings.push(nothing_yet(job.target.row.id, date)),
                Some(Ok(Some(snapshot))) => {
                    let kept = portion.making.kept.get(&snapshot.portfolio_id);
                    if self.is_consistent(&snapshot, kept) {
                        match kept {
                            None => self.data.created += 1,
                            Some(_) if self.is_kept(&snapshot).await? => self.data.unchanged += 1,
                            Some(_) => self.data.updated += 1,
                        }
                        self.add(snapshot.base_currency, snapshot.nav);
                        snapshots.push(snapshot);
                    }
                }
            }
        }
        self.done += portion.size;
        Ok(snapshots)
    }

    /// True when the stored one says the same, though something was written that it could have rested on.
    async fn is_kept(&self, made: &Snapshot) -> Result<bool> {
        if self.request.force {
            return Ok(false);
        }
        let kept = self.store.snapshot(made.portfolio_id, made.date).await?;
        Ok(kept.is_some_and(|kept| {
            let input_hash = made.input_hash.clone();
            Snapshot { input_hash, ..kept } == *made
        }))
    }

    async fn save(&self, snapshots: Vec<Snapshot>) -> Result<()> {
        let now = (self.request.clock)();
        self.store.put_snapshots(&snapshots, now).await
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

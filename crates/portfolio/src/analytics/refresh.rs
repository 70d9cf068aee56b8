//! The run itself: lock, decide what has changed, compute and save in portions, sum up.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{OptionFuture, try_join};
use jiff::civil::Date;

use super::batch::Engine;
use super::compute::failure;
use super::envelope::{Envelope, Issue, RefreshData, Status};
use super::load::{self, Changed, Need, Shared};
use super::overview::{GlobalOverview, UserSummary};
use super::portion::{Computed, PORTION, Portion};
use super::request::RefreshRequest;
use super::save::{Figures, Rows};
use super::states::Resume;
use super::stored::CACHED_PARTS;
use super::tally::Tally;
use super::{hash, remembered, save};
use crate::error::{Error, Result};
use crate::fx::RateTable;
use crate::ledger::AccountId;
use crate::progress::Progress;
use crate::store::{Lock, LockAttempt, PortfolioRow, Store};

/// The registered name of the task.
pub const TASK: &str = "finflow.core.tasks.refresh_portfolio_analytics";

/// Warnings that a result lists.
const LISTED: usize = 500;

/// Refreshes analytics. Returns `skipped` when another run holds the lock, and `partial` when a portfolio failed or
/// `should_stop` said so (it is asked between portions of portfolios; what is done is saved).
///
/// # Errors
/// Wrong arguments, a missing or foreign id, a database error, or every portfolio failing.
pub async fn refresh(
    store: &Store,
    request: &RefreshRequest,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
    should_stop: &(dyn Fn() -> bool + Sync),
) -> Result<Envelope<RefreshData>> {
    request.check()?;
    let started = (request.clock)();
    let stamp = remembered::stamp(store, request).await?;
    let kept = match &stamp {
        Some(stamp) if !request.full => remembered::recall(store, request, stamp).await?,
        _ => None,
    };
    let rows = match kept {
        Some(_) => Vec::new(),
        None => load::scope(store, request).await?,
    };
    let lock = match store
        .lock(&request.lock_key(), &request.owner, started, request.lease)
        .await?
    {
        LockAttempt::Acquired(lock) => lock,
        LockAttempt::Held { owner } => return Ok(already_running(owner)),
    };
    let mut run = Run::new(store, request, &lock, progress, should_stop);
    let envelope = match kept {
        Some(kept) => Ok(run.report_kept(kept)),
        None => run.made(rows, stamp.as_deref()).await,
    };
    store.unlock(&lock).await?;
    let mut envelope = envelope?;
    let elapsed = (request.clock)().duration_since(started).as_millis();
    envelope.duration_ms = u64::try_from(elapsed).unwrap_or_default();
    Ok(envelope)
}

fn already_running(holder: String) -> Envelope<RefreshData> {
    let data = RefreshData {
        reason: Some("already_running".to_owned()),
        holder: Some(holder),
        ..RefreshData::default()
    };
    Envelope::new(TASK, Status::Skipped, data)
}

/// The state of a run.
struct Run<'r> {
    store: &'r Store,
    request: &'r RefreshRequest,
    lock: &'r Lock,
    progress: &'r mut (dyn FnMut(Progress) + Send + Sync),
    should_stop: &'r (dyn Fn() -> bool + Sync),
    data: RefreshData,
    tally: Tally,
    warnings: Vec<Issue>,
    errors: Vec<Issue>,
    /// Portfolios whose ledgers' states did not do.
    again: Vec<PortfolioRow>,
    stopped: bool,
    done: u64,
}

impl<'r> Run<'r> {
    fn new(
        store: &'r Store,
        request: &'r RefreshRequest,
        lock: &'r Lock,
        progress: &'r mut (dyn FnMut(Progress) + Send + Sync),
        should_stop: &'r (dyn Fn() -> bool + Sync),
    ) -> Run<'r> {
        let data = RefreshData::default();
        Run {
            store,
            request,
            lock,
            progress,
            should_stop,
            data,
            tally: Tally::default(),
            warnings: Vec::new(),
            errors: Vec::new(),
            again: Vec::new(),
            stopped: false,
            done: 0,
        }
    }

    /// Nothing has changed: what was given last is given again.
    fn report_kept(&mut self, kept: Envelope<RefreshData>) -> Envelope<RefreshData> {
        self.report(
            "store",
            kept.data.portfolios as u64 * 2,
            kept.data.portfolios,
        );
        kept
    }

    async fn made(
        &mut self,
        rows: Vec<PortfolioRow>,
        stamp: Option<&str>,
    ) -> Result<Envelope<RefreshData>> {
        let began = (self.request.clock)();
        self.all(rows).await?;
        let envelope = self.finish()?;
        if let Some(stamp) = stamp {
            remembered::keep(self.store, self.request, stamp, &envelope, began).await?;
        }
        Ok(envelope)
    }

    async fn all(&mut self, rows: Vec<PortfolioRow>) -> Result<()> {
        self.report("load", 0, rows.len());
        self.count(&rows);
        let rates = self.store.rates().await?;
        let resume = if self.request.full {
            Resume::Nothing
        } else {
            Resume::Right
        };
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let transactions = self.store.count_transactions(&ids);
        let (transactions, ()) =
            try_join(transactions, self.portions(&rows, &rates, resume)).await?;
        self.data.transactions = transactions;
        let again = std::mem::take(&mut self.again);
        if !again.is_empty() && !self.stopped {
            self.portions(&again, &rates, Resume::Nothing).await?;
        }
        self.tally.known.sort_by_key(|known| known.row.id);
        self.tally.sum_up(&mut self.data);
        self.overviews(&rates).await?;
        self.report("store", rows.len() as u64 * 2, rows.len());
        Ok(())
    }

    fn count(&mut self, rows: &[PortfolioRow]) {
        let users: BTreeSet<i64> = rows.iter().map(|row| row.user_id).collect();
        self.data.portfolios = rows.len();
        self.data.users = users.len();
    }

    /// While one portion is computed, the one before is saved, and the next is loaded and made ready.
    async fn portions(
        &mut self,
        rows: &[PortfolioRow],
        rates: &RateTable,
        resume: Resume,
    ) -> Result<()> {
        let shorts = self.store.short_accounts().await?.into_iter().collect();
        let shared = Shared::read(self.store, rates, &shorts, None).await?;
        let days = load::days(self.request, rows);
        shared.grounds.settle(self.store, days).await?;
        let mut engine = Arc::new(Engine::default());
        let mut portions = rows.chunks(PORTION);
        let needs = self.load(portions.next(), &shared, resume).await?;
        let mut ready = self.ready(needs, &mut engine, &shorts).await?;
        let mut computing = None;
        while computing.is_some() || ready.is_some() {
            let done = OptionFuture::from(computing.take()).await.transpose();
            computing = self
                .unless_stopped(ready.take())
                .map(|portion| portion.begin(&engine));
            let finished = self.note(done.map_err(Error::Computation)?);
            let next = portions.next().filter(|_| !self.stopped);
            let loading = self.load(next, &shared, resume);
            let (saved, needs) = try_join(self.save(finished), loading).await?;
            self.data.cache_keys += saved;
            ready = self.ready(needs, &mut engine, &shorts).await?;
            self.renew().await?;
        }
        let complaint = self.store.keep_prices(Arc::clone(engine.read())).await?;
        self.complain(engine.read().complaint.as_deref());
        self.complain(complaint.as_deref());
        Ok(())
    }

    /// Asks before each portion whether the run is to stop; what was made ready is then left.
    fn unless_stopped(&mut self, ready: Option<Portion<Figures>>) -> Option<Portion<Figures>> {
        let portion = ready?;
        self.stopped = (self.should_stop)();
        (!self.stopped).then_some(portion)
    }

    /// Notes that the price file is of no use; the database has all that is in it.
    fn complain(&mut self, complaint: Option<&str>) {
        self.warnings.extend(complaint.map(|message| Issue {
            scope: "task".to_owned(),
            id: None,
            code: "price_file".to_owned(),
            message: message.to_owned(),
        }));
    }

    async fn load(
        &self,
        portion: Option<&[PortfolioRow]>,
        shared: &Shared,
        resume: Resume,
    ) -> Result<Option<Vec<Need>>> {
        let Some(portion) = portion else {
            return Ok(None);
        };
        let needs = load::needs(self.store, self.request, portion, shared, resume).await?;
        Ok(Some(needs))
    }

    /// What is still to be computed; anything else is noted here.
    fn settle(&mut self, need: Need) -> Option<Changed> {
        match need {
            Need::Compute(changed) => return Some(changed),
            Need::Nothing(target, digest) => {
                self.data.portfolios_skipped += 1;
                self.data.cache_keys += CACHED_PARTS.len();
                self.tally.add(target, digest);
            }
            Need::Fail(row, error) => self.fail(failure(row.id, "unknown_calendar", &error)),
        }
        None
    }

    fn fail(&mut self, issue: Issue) {
        self.data.portfolios_failed += 1;
        self.errors.push(issue);
    }

    /// What is to be computed, and an engine that knows all assets of it.
    async fn ready(
        &mut self,
        needs: Option<Vec<Need>>,
        engine: &mut Arc<Engine>,
        shorts: &BTreeSet<AccountId>,
    ) -> Result<Option<Portion<Figures>>> {
        let Some(needs) = needs else {
            return Ok(None);
        };
        let size = needs.len();
        self.advance("load", size);
        let changed = needs.into_iter().filter_map(|need| self.settle(need));
        let changed: Vec<Changed> = changed.collect();
        let portion = Portion::ready(self.store, engine, shorts, changed, Figures, size);
        portion.await.map(Some)
    }

    /// Keeps what overviews need, and returns what is to be stored.
    fn note(&mut self, done: Option<Computed<Figures>>) -> Vec<Rows> {
        let Some((portion, outcomes)) = done else {
            return Vec::new();
        };
        let mut rows = Vec::with_capacity(outcomes.len());
        for (job, outcome) in portion.jobs.into_iter().zip(outcomes) {
            match outcome {
                None => self.again.push(job.target.row),
                Some(Err(issue)) => self.fail(issue),
                Some(Ok(done)) => {
                    rows.push(done.rows);
                    self.tally.add(job.target, done.digest);
                }
            }
        }
        self.advance("metrics", portion.size);
        rows
    }

    async fn save(&self, rows: Vec<Rows>) -> Result<usize> {
        if rows.is_empty() {
            return Ok(0);
        }
        save::portfolios(self.store, rows, (self.request.clock)()).await
    }

    /// Overviews are made when all portfolios they speak of are in scope, and the run was not stopped.
    async fn overviews(&mut self, rates: &RateTable) -> Result<()> {
        if self.stopped || self.request.portfolio_ids.is_some() || self.tally.known.is_empty() {
            return Ok(());
        }
        let now = (self.request.clock)();
        let summaries = self.user_summaries(rates).await?;
        self.data.cache_keys += save::users(self.store, &summaries, now).await?;
        if self.request.is_global() {
            self.global(rates).await?;
        }
        Ok(())
    }

    async fn user_summaries(&mut self, rates: &RateTable) -> Result<Vec<(UserSummary, String)>> {
        let mut summaries = Vec::new();
        let mut by_user = self.tally.by_user();
        for user in self.store.users().await? {
            let Some(own) = by_user.remove(&user.id) else {
                continue;
            };
            let hash = hash::joined(own.iter().map(|known| known.hash.as_str()));
            match UserSummary::of(user.id, user.base_currency, &own, rates) {
                Ok(summary) => summaries.push((summary, hash)),
                Err(error) => self.errors.push(Issue {
                    scope: "user".to_owned(),
                    id: Some(user.id.into()),
                    code: error.code().to_owned(),
                    message: error.to_string(),
                }),
            }
        }
        Ok(summaries)
    }

    async fn global(&mut self, rates: &RateTable) -> Result<()> {
        let hash = hash::joined(self.tally.known.iter().map(|known| known.hash.as_str()));
        let as_of = self.as_of().unwrap_or_default();
        match GlobalOverview::of(&self.data, &self.tally, rates) {
            Ok(Some(overview)) => {
                self.data.cache_keys +=
                    save::global(self.store, &overview, as_of, &hash, (self.request.clock)())
                        .await?
            }
            Ok(None) => {}
            Err(error) => self.errors.push(Issue {
                scope: "global".to_owned(),
                id: None,
                code: error.code().to_owned(),
                message: error.to_string(),
            }),
        }
        Ok(())
    }

    fn as_of(&self) -> Option<Date> {
        let days = self.tally.known.iter().map(|known| known.as_of);
        days.max().or(self.request.as_of)
    }

    /// Portfolios whose rows are read after all are counted once.
    fn advance(&mut self, phase: &'static str, portfolios: usize) {
        let total = self.data.portfolios;
        self.done = (self.done + portfolios as u64).min(total as u64 * 2);
        self.report(phase, self.done, total);
    }

    fn report(&mut self, phase: &'static str, current: u64, portfolios: usize) {
        (self.progress)(Progress {
            phase,
            current,
            total: portfolios as u64 * 2,
        });
    }

    async fn renew(&self) -> Result<()> {
        self.store
            .renew(self.lock, (self.request.clock)(), self.request.lease)
            .await
    }

    fn finish(&mut self) -> Result<Envelope<RefreshData>> {
        let (failed, count) = (self.data.portfolios_failed, self.data.portfolios);
        if self.stopped {
            let left = count - failed - self.tally.known.len();
            self.errors.push(Issue::stopped(left));
        }
        let (data, errors) = (
            std::mem::take(&mut self.data),
            std::mem::take(&mut self.errors),
        );
        let mut result = Envelope::of_portfolios(TASK, count, failed, data, errors)?;
        result.as_of = self.as_of();
        let known = self.tally.known.iter();
        let warnings = known.flat_map(|known| known.warnings.iter().cloned());
        let own = std::mem::take(&mut self.warnings);
        result.warnings = own.into_iter().chain(warnings).take(LISTED).collect();
        Ok(result)
    }
}

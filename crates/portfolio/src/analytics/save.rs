//! What a refresh writes: rows of analytics, cache entries and the states of ledgers, in one transaction for some portfolios.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::batch::Making;
use super::compute::{self, Computed, Job, JobLedger};
use super::digest::PortfolioDigest;
use super::envelope::Issue;
use super::load::Target;
use super::overview::{GlobalOverview, UserSummary};
use super::period::Period;
use super::stored::{self, json};
use crate::engine::Valued;
use crate::error::Result;
use crate::market::Market;
use crate::series::{Series, Walked};
use crate::store::{ALL_PERIODS, CacheRow, NewLedgerState, SavedFigures, Store, Stored};

/// How long cache entries are fresh.
const TIME_TO_LIVE: SignedDuration = SignedDuration::from_mins(90);

/// What is stored of one portfolio.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) analytics: SavedFigures,
    pub(super) state: StateChange,
}

/// What becomes of the state that is kept of a portfolio's ledger.
#[derive(Debug)]
pub(super) enum StateChange {
    /// It stays.
    Same,
    /// There is another one.
    New(NewLedgerState),
    /// There is none; of the portfolio with this id.
    Gone(i64),
}

/// When what is written now ends to be fresh.
pub(super) fn expiry(now: Timestamp) -> Timestamp {
    now.saturating_add(TIME_TO_LIVE).unwrap_or(Timestamp::MAX)
}

/// When half of that time is over.
pub(super) fn half_life(now: Timestamp) -> Timestamp {
    now.saturating_add(TIME_TO_LIVE / 2)
        .unwrap_or(Timestamp::MAX)
}

/// Writes portfolios in one transaction and returns how many cache entries they have.
pub(super) async fn portfolios(
    store: &Store,
    portfolios: Vec<Rows>,
    now: Timestamp,
) -> Result<usize> {
    let mut written = Written::default();
    for portfolio in portfolios {
        written.cached.push(portfolio.analytics.scope_id);
        written.rows.push(portfolio.analytics);
        match portfolio.state {
            StateChange::Same => {}
            StateChange::New(state) => written.states.push(state),
            StateChange::Gone(id) => written.gone.push(id),
        }
    }
    write(store, written, now).await
}

/// A portfolio that was computed: for overviews, and as what is stored.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) digest: PortfolioDigest,
    pub(super) rows: Rows,
}

/// Makes all figures, and what is stored of them.
pub(super) struct Figures;

impl Making for Figures {
    type Item = Done;

    fn starts(&self, job: &Job) -> Vec<Date> {
        compute::starts(job)
    }

    fn empty(&self, job: &Job) -> Done {
        Done::of(job, Computed::empty())
    }

    fn make<S: Series>(
        &self,
        market: &Market,
        job: &Job,
        end: &Walked<'_>,
        series: impl Fn(Date) -> S,
    ) -> Result<Done, Issue> {
        Ok(Done::of(job, compute::figures(market, job, end, series)?))
    }

    fn keep(&self, market: &Market, job: &Job, valued: &Valued<'_, '_>, mut done: Done) -> Done {
        if let Some(keeping) = job.ledger.keeping() {
            let state = keeping.state(valued, |asset| market.asset(asset).id);
            done.rows.state = StateChange::New(state);
        }
        done
    }
}

impl Done {
    fn of(job: &Job, computed: Computed) -> Done {
        Done {
            rows: Rows::of(job, &computed),
            digest: computed.digest(job),
        }
    }
}

impl Rows {
    /// The rows of a portfolio's figures.
    pub(super) fn of(job: &Job, computed: &Computed) -> Rows {
        let target = &job.target;
        Rows {
            analytics: analytics_row(target, computed),
            state: match &job.ledger {
                JobLedger::Rows(..) => StateChange::Gone(target.row.id),
                JobLedger::State(..) => StateChange::Same,
            },
        }
    }
}

fn analytics_row(target: &Target, computed: &Computed) -> SavedFigures {
    SavedFigures {
        scope: "portfolio",
        scope_id: target.row.id,
        period: ALL_PERIODS,
        as_of: target.as_of,
        payload: Stored::Packed(stored::packed(target, computed)),
        input_hash: target.hash.clone(),
    }
}

/// Writes the summaries of users and returns how many cache entries that makes.
pub(super) async fn users(
    store: &Store,
    summaries: &[(UserSummary, String)],
    now: Timestamp,
) -> Result<usize> {
    let mut rows = Vec::with_capacity(summaries.len());
    let mut cache = Vec::with_capacity(summaries.len());
    for (summary, hash) in summaries {
        let payload = json(summary);
        let key = format!("user:{}:summary", summary.user_id);
        cache.push(CacheRow {
            key,
            value: payload.clone(),
            user_id: Some(summary.user_id),
        });
        let as_of = summary.as_of.unwrap_or_default();
        rows.push(SavedFigures {
            scope: "user",
            scope_id: summary.user_id,
            period: Period::Max.as_str(),
            as_of,
            payload: Stored::Text(payload),
            input_hash: hash.clone(),
        });
    }
    let written = Written {
        rows,
        cache,
        ..Written::default()
    };
    write(store, written, now).await
}

/// Writes the overview over everything.
pub(super) async fn global(
    store: &Store,
    overview: &GlobalOverview,
    as_of: Date,
    hash: &str,
    now: Timestamp,
) -> Result<usize> {
    let payload = json(overview);
    let cache = vec![CacheRow {
        key: "global:overview".to_owned(),
        value: payload.clone(),
        user_id: None,
    }];
    let rows = vec![SavedFigures {
        scope: "global",
        scope_id: 0,
        period: Period::Max.as_str(),
        as_of,
        payload: Stored::Text(payload),
        input_hash: hash.to_owned(),
    }];
    let written = Written {
        rows,
        cache,
        ..Written::default()
    };
    write(store, written, now).await
}

/// What one transaction writes.
#[derive(Debug, Default)]
struct Written {
    rows: Vec<SavedFigures>,
    cache: Vec<CacheRow>,
    /// Portfolios whose cache entries are made of their rows.
    cached: Vec<i64>,
    states: Vec<NewLedgerState>,
    /// Portfolios whose states go.
    gone: Vec<i64>,
}

async fn write(store: &Store, written: Written, now: Timestamp) -> Result<usize> {
    let keys = written.cache.len() + written.cached.len() * stored::CACHED_PARTS.len();
    let expires = expiry(now);
    let mut tx = store.begin().await?;
    store.put_analytics(&mut tx, written.rows, now).await?;
    store
        .put_cache(&mut tx, written.cache, now, expires)
        .await?;
    store
        .put_portfolio_caches(&mut tx, &written.cached, now, expires)
        .await?;
    store.put_ledger_states(&mut tx, written.states).await?;
    store.forget_ledger_states(&mut tx, &written.gone).await?;
    store.commit(tx).await?;
    Ok(keys)
}

//! The run: load, compute on every core, join.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use tokio::task::spawn_blocking;

use super::super::compute::{self, Job, failure};
use super::super::envelope::{Envelope, Issue};
use super::super::{hash, load, save, view};
use super::combined;
use super::request::{
    NamedFigures, Performance, PerformanceData, PerformanceRequest, PortfolioPerformance,
};
use crate::cores::on_every_core;
use crate::error::{Error, Result};
use crate::figures::{
    Closing, PeriodFigures, ReturnSettings, gains_inconsistency, inconsistencies,
};
use crate::gains::Gains;
use crate::ledger::LedgerError;
use crate::market::Market;
use crate::progress::Progress;
use crate::series::Walk;
use crate::store::{CacheRow, PortfolioRow, Store};

/// The registered name of the task.
const TASK: &str = "calculate_portfolio_performance";

/// What computing gave: figures or what is wrong, for each portfolio, and for all joined.
struct Outcome {
    portfolios: Vec<Result<Performance, Issue>>,
    combined: Option<Result<Performance, Issue>>,
}

/// Figures of a user's portfolios. `empty` when there are none, `partial` when one failed.
///
/// # Errors
/// Wrong arguments, a missing or foreign id, a database error, or every portfolio failing.
pub async fn performance(
    store: &Store,
    request: &PerformanceRequest,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<Envelope<PerformanceData>> {
    request.check()?;
    let started = (request.clock)();
    let mut rows = load::scope(store, &request.scope()).await?;
    compare_with(store, request, &mut rows).await?;
    let total = rows.len() as u64;
    report(progress, 0, total);
    let (market, portfolios) =
        view::portfolios(store, &request.scope(), rows, BTreeSet::new()).await?;
    view::check_opening(request.start, &portfolios)?;
    let jobs: Vec<Job> = portfolios.into_iter().map(view::Viewed::into_job).collect();
    let key = key(request, &jobs);
    let mut envelope = match cached(store, &key, request).await? {
        Some(envelope) => envelope,
        None => computed(store, request, &key, jobs, market).await?,
    };
    report(progress, total, total);
    let elapsed = (request.clock)().duration_since(started).as_millis();
    envelope.duration_ms = u64::try_from(elapsed).unwrap_or_default();
    Ok(envelope)
}

fn report(progress: &mut (dyn FnMut(Progress) + Send + Sync), current: u64, total: u64) {
    progress(Progress {
        phase: "portfolios",
        current,
        total,
    });
}

/// Sets the benchmark that is asked for on all portfolios.
async fn compare_with(
    store: &Store,
    request: &PerformanceRequest,
    rows: &mut [PortfolioRow],
) -> Result<()> {
    let Some(symbol) = &request.benchmark else {
        return Ok(());
    };
    let ids = store.asset_ids().await?;
    let id = ids.get(symbol).ok_or_else(|| Error::NotFound {
        what: "asset",
        id: symbol.clone(),
    })?;
    for row in rows {
        row.benchmark_asset_id = Some(*id);
    }
    Ok(())
}

/// Names the answer by everything that it depends on.
fn key(request: &PerformanceRequest, jobs: &[Job]) -> String {
    let text = request.text();
    let hashes = jobs.iter().map(|job| job.target.hash.as_str());
    let hash = hash::joined(hashes.chain([text.as_str()]));
    format!("performance:{}:{hash}", request.user_id)
}

async fn cached(
    store: &Store,
    key: &str,
    request: &PerformanceRequest,
) -> Result<Option<Envelope<PerformanceData>>> {
    let Some(text) = store.cached(key).await? else {
        return Ok(None);
    };
    let expiry = save::expiry((request.clock)());
    store.extend_cache(&[key.to_owned()], expiry).await?;
    Ok(serde_json::from_str(&text).ok())
}

async fn computed(
    store: &Store,
    request: &PerformanceRequest,
    key: &str,
    jobs: Vec<Job>,
    market: Market,
) -> Result<Envelope<PerformanceData>> {
    let base = store.user(request.user_id).await?.base_currency;
    let (asked, market) = (request.clone(), Arc::new(market));
    let work = move || {
        let portfolios = on_every_core(&jobs, |job| figures(&market, job, &asked));
        let joined = asked.portfolio_id.is_none() && !jobs.is_empty();
        let combined = joined.then(|| all_as_one(&market, &jobs, base, &asked));
        (
            Outcome {
                portfolios,
                combined,
            },
            jobs,
        )
    };
    let (outcome, jobs) = spawn_blocking(work).await.map_err(Error::Computation)?;
    let envelope = answer(request, &jobs, outcome)?;
    let row = CacheRow {
        key: key.to_owned(),
        value: serde_json::to_string(&envelope)?,
        user_id: Some(request.user_id),
    };
    let now = (request.clock)();
    let mut tx = store.begin().await?;
    store
        .put_cache(&mut tx, vec![row], now, save::expiry(now))
        .await?;
    store.commit(tx).await?;
    Ok(envelope)
}

fn all_as_one(
    market: &Market,
    jobs: &[Job],
    base: crate::money::Currency,
    request: &PerformanceRequest,
) -> Result<Performance, Issue> {
    let jobs: Vec<&Job> = jobs.iter().collect();
    let joined = combined::join(&jobs, base).ok_or_else(|| Issue {
        scope: "user".to_owned(),
        id: Some(request.user_id.into()),
        code: "mixed_income_modes".to_owned(),
        message: "some portfolios book dividends on their ex-dates and others do not: they cannot be joined".to_owned(),
    })?;
    figures(market, &joined, request).map_err(|issue| Issue {
        scope: "user".to_owned(),
        id: Some(request.user_id.into()),
        ..issue
    })
}

fn figures(market: &Market, job: &Job, request: &PerformanceRequest) -> Result<Performance, Issue> {
    let (id, to) = (job.target.row.id, job.target.as_of);
    let failed = |error: LedgerError| failure(id, error.code(), &error);
    let openings = request.openings(to);
    let starts = openings.iter().map(|(_, opening)| *opening).collect();
    let walk = Walk::run(compute::request(market, job, starts)).map_err(failed)?;
    let periods = match &walk {
        Some(walk) => periods(walk, market, job, request, &openings)?,
        None => Vec::new(),
    };
    Ok(Performance {
        base_currency: job.target.row.base_currency,
        to,
        periods,
        stale_prices: walk.as_ref().map(stale_prices).unwrap_or_default(),
    })
}

fn stale_prices(walk: &Walk<'_>) -> BTreeMap<String, i64> {
    let positions = walk.closing.positions.iter();
    let stale = positions.filter_map(|(asset, position)| {
        let symbol = walk.ledger.market().symbol(*asset);
        Some((symbol.to_string(), position.stale_days?))
    });
    stale.collect()
}

/// What is odd about a portfolio: figures stand still where prices do.
fn warning(id: i64, performance: &Performance) -> Option<Issue> {
    let stale = &performance.stale_prices;
    let (symbol, days) = stale.iter().max_by_key(|(_, days)| **days)?;
    let more = match stale.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more are old"),
    };
    Some(Issue {
        scope: "portfolio".to_owned(),
        id: Some(id.into()),
        code: "stale_prices".to_owned(),
        message: format!(
            "the last price of {symbol} is {days} days old{more}: what it is worth stands still since then"
        ),
    })
}

fn periods(
    walk: &Walk<'_>,
    market: &Market,
    job: &Job,
    request: &PerformanceRequest,
    openings: &[(&str, Date)],
) -> Result<Vec<NamedFigures>, Issue> {
    let id = job.target.row.id;
    let failed = |error: LedgerError| failure(id, error.code(), &error);
    let settings = ReturnSettings {
        rolling: &request.rolling,
        ..compute::settings(market, job)
    };
    let mut periods = Vec::with_capacity(openings.len());
    for (name, opening) in openings {
        let window = walk.window(*opening);
        periods.push(NamedFigures {
            period: (*name).to_owned(),
            figures: PeriodFigures::of(walk, &window, settings),
            gains: Gains::of(walk, &window),
        });
    }
    let closing = Closing::of(walk).map_err(failed)?;
    let all: Vec<&PeriodFigures> = periods.iter().map(|period| &period.figures).collect();
    let mut wrong = inconsistencies(walk, &closing, &all).map_err(failed)?;
    wrong.extend(
        periods
            .iter()
            .filter_map(|period| gains_inconsistency(walk, &period.gains)),
    );
    match wrong.first() {
        Some(wrong) => Err(failure(id, "internal_inconsistency", wrong)),
        None => Ok(periods),
    }
}

fn answer(
    request: &PerformanceRequest,
    jobs: &[Job],
    outcome: Outcome,
) -> Result<Envelope<PerformanceData>> {
    let (mut portfolios, mut errors) = (Vec::new(), Vec::new());
    for (job, result) in jobs.iter().zip(outcome.portfolios) {
        match result {
            Ok(performance) => portfolios.push(PortfolioPerformance {
                portfolio_id: job.target.row.id,
                name: job.target.row.name.clone(),
                performance,
            }),
            Err(issue) => errors.push(issue),
        }
    }
    let failed = errors.len();
    let combined = match outcome.combined.transpose() {
        Ok(combined) => combined,
        Err(issue) => {
            errors.push(issue);
            None
        }
    };
    let of = |each: fn(&PortfolioPerformance) -> Option<Date>| portfolios.iter().filter_map(each);
    let opening = |portfolio: &PortfolioPerformance| {
        let periods = portfolio.performance.periods.iter();
        periods.map(|period| period.figures.from).min()
    };
    let data = PerformanceData {
        user_id: request.user_id,
        from: of(opening).min(),
        to: of(|portfolio| Some(portfolio.performance.to)).max(),
        portfolios,
        combined,
    };
    let as_of = data.to;
    let odd = data.portfolios.iter();
    let odd = odd.filter_map(|one| warning(one.portfolio_id, &one.performance));
    let warnings = odd.collect();
    let envelope = Envelope::of_portfolios(TASK, jobs.len(), failed, data, errors)?;
    Ok(Envelope {
        as_of,
        warnings,
        ..envelope
    })
}

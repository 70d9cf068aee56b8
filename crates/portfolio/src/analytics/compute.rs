//! The pure part: a ledger and a market to figures. Several portfolios are shared out over the machine's cores.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::digest::{PortfolioDigest, issue};
use super::envelope::Issue;
use super::load::Target;
use super::period::Period;
use crate::cores::on_every_core;
use crate::figures::{Closing, PeriodFigures, ReturnSettings, inconsistencies};
use crate::ledger::{AccountId, Entry, LedgerError, Rules};
use crate::market::{AssetIx, Market};
use crate::metrics::Settings;
use crate::series::{Walk, WalkRequest};
use crate::store::StoredEntry;

/// Rolling windows, in sessions: a month, a quarter, a year.
const ROLLING: [usize; 3] = [21, 63, 252];

/// A portfolio with everything that its figures need.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) target: Target,
    pub(super) entries: Vec<Entry>,
    pub(super) benchmark: Option<AssetIx>,
    pub(super) shorts: BTreeSet<AccountId>,
}

impl Job {
    /// A portfolio's rows with their assets as indices into the market.
    pub(super) fn new(
        target: Target,
        stored: &[StoredEntry],
        index: &HashMap<i64, AssetIx>,
        shorts: &BTreeSet<AccountId>,
    ) -> Job {
        let benchmark = target.row.benchmark_asset_id;
        Job {
            entries: stored.iter().map(|entry| entry.resolve(index)).collect(),
            benchmark: benchmark.and_then(|id| index.get(&id).copied()),
            shorts: shorts.clone(),
            target,
        }
    }
}

/// The figures of one portfolio; without any when nothing has happened in it.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) digest: PortfolioDigest,
    pub(super) periods: Vec<(Period, PeriodFigures)>,
    pub(super) closing: Option<Closing>,
}

/// Computes all jobs; results come in the order of the jobs.
pub(super) fn compute_all(market: &Market, jobs: &[Job]) -> Vec<Result<Computed, Issue>> {
    on_every_core(jobs, |job| compute(market, job))
}

fn compute(market: &Market, job: &Job) -> Result<Computed, Issue> {
    let id = job.target.row.id;
    let failed = |error: LedgerError| failure(id, error.code(), &error);
    let starts = Period::STORED
        .iter()
        .map(|period| period.start(job.target.as_of));
    let walk = Walk::run(request(market, job, starts.collect())).map_err(failed)?;
    let Some(walk) = walk else {
        let digest = PortfolioDigest::empty(job.target.row.base_currency, job.target.as_of);
        return Ok(Computed {
            digest,
            periods: Vec::new(),
            closing: None,
        });
    };
    let periods = periods(&walk, market, job).map_err(failed)?;
    let closing = Closing::of(&walk).map_err(failed)?;
    let figures: Vec<&PeriodFigures> = periods.iter().map(|(_, figures)| figures).collect();
    if let Some(wrong) = inconsistencies(&walk, &closing, &figures)
        .map_err(failed)?
        .first()
    {
        return Err(failure(id, "internal_inconsistency", wrong));
    }
    let digest = digest(job, &walk, &closing, &periods);
    Ok(Computed {
        digest,
        periods,
        closing: Some(closing),
    })
}

pub(super) fn request<'m>(market: &'m Market, job: &'m Job, starts: Vec<Date>) -> WalkRequest<'m> {
    let row = &job.target.row;
    WalkRequest {
        market,
        rules: Rules {
            base: row.base_currency,
            method: row.lot_method,
            income: row.income,
            short_accounts: job.shorts.clone(),
        },
        entries: job.entries.clone(),
        calendar: &job.target.calendar,
        starts,
        to: job.target.as_of,
    }
}

fn periods(
    walk: &Walk<'_>,
    market: &Market,
    job: &Job,
) -> Result<Vec<(Period, PeriodFigures)>, LedgerError> {
    let settings = settings(market, job);
    let figures = Period::STORED.iter().map(|period| {
        let rolling: &[usize] = if *period == Period::Max {
            &ROLLING
        } else {
            &[]
        };
        let window = walk.window(period.start(job.target.as_of));
        Ok((
            *period,
            PeriodFigures::of(
                walk,
                &window,
                ReturnSettings {
                    rolling,
                    ..settings
                },
            )?,
        ))
    });
    figures.collect()
}

/// How returns are annualised and compared; nothing rolls.
pub(super) fn settings<'m>(market: &'m Market, job: &Job) -> ReturnSettings<'m> {
    ReturnSettings {
        metrics: Settings {
            periods_per_year: job.target.calendar.periods_per_year(),
            risk_free: job.target.row.risk_free_rate.to_f64(),
            ..Settings::default()
        },
        benchmark: job.benchmark.map(|asset| &market.asset(asset).closes),
        rolling: &[],
    }
}

fn digest(
    job: &Job,
    walk: &Walk<'_>,
    closing: &Closing,
    periods: &[(Period, PeriodFigures)],
) -> PortfolioDigest {
    let cash = walk
        .closing
        .cash
        .iter()
        .map(|(currency, (_, base))| (*currency, *base))
        .collect();
    let (_, since_inception) = &periods[periods.len() - 1];
    let mut digest = PortfolioDigest::of(closing, &cash, since_inception);
    digest.warnings = warnings(walk, job);
    digest
}

/// What is odd about the ledger, and a day that the calendar's table does not know.
pub(super) fn warnings(walk: &Walk<'_>, job: &Job) -> Vec<Issue> {
    let (id, calendar, as_of) = (job.target.row.id, &job.target.calendar, job.target.as_of);
    let beyond = (!calendar.covers(as_of)).then(|| {
        let message = format!(
            "{as_of} is beyond the table of calendar {}: its rules are used",
            calendar.mic()
        );
        failure(id, "calendar_beyond_table", &message)
    });
    let ledger = walk
        .ledger
        .warnings()
        .iter()
        .map(|warning| issue(id, warning));
    ledger.chain(beyond).collect()
}

/// An issue of one portfolio.
pub(super) fn failure(id: i64, code: &str, message: &dyn std::fmt::Display) -> Issue {
    Issue {
        scope: "portfolio".to_owned(),
        id: Some(id),
        code: code.to_owned(),
        message: message.to_string(),
    }
}

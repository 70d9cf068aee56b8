//! The pure part: one portfolio's ledger and the market to its figures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::digest::{PortfolioDigest, issue};
use super::envelope::Issue;
use super::load::{LoadedLedger, Target};
use super::period::Period;
use super::states::{Keeping, KeptState};
use crate::by_id::ById;
use crate::decimal::Decimal;
use crate::engine::Outline;
use crate::figures::{Breakdown, Closing, PeriodFigures, ReturnSettings, inconsistencies};
use crate::ledger::{AccountId, Entry, LedgerError, Rules};
use crate::market::{AssetIx, Market};
use crate::metrics::Settings;
use crate::money::Currency;
use crate::series::{Series, WalkRequest, Walked};

/// A portfolio with everything that its figures need.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) target: Target,
    pub(super) ledger: JobLedger,
    pub(super) benchmark: Option<AssetIx>,
    pub(super) shorts: BTreeSet<AccountId>,
}

/// A ledger with its assets as indices into the market.
#[derive(Debug)]
pub(super) enum JobLedger {
    /// Its rows, and how the state that they come to is to be kept.
    Rows(Arc<[Entry]>, Option<Keeping>),
    /// The state that was kept, the indices of its assets, and how it is to be kept anew, if it is.
    State(KeptState, Vec<AssetIx>, Option<Keeping>),
}

impl JobLedger {
    fn new(ledger: LoadedLedger, index: &ById<AssetIx>) -> JobLedger {
        match ledger {
            LoadedLedger::Rows(entries, keeping) => {
                let resolved = entries.into_iter().map(|entry| entry.resolve(index));
                JobLedger::Rows(resolved.collect(), keeping)
            }
            LoadedLedger::State(state, keeping) => {
                let assets = state.ledger.assets.iter();
                let labels = assets.filter_map(|id| index.get(id).copied()).collect();
                JobLedger::State(state, labels, keeping)
            }
        }
    }

    /// How the state that it comes to is to be kept, if it is.
    pub(super) fn keeping(&self) -> Option<&Keeping> {
        match self {
            JobLedger::Rows(_, keeping) | JobLedger::State(_, _, keeping) => keeping.as_ref(),
        }
    }
}

impl Job {
    /// A portfolio with an index of a market that knows all of its assets.
    pub(super) fn new(
        target: Target,
        ledger: LoadedLedger,
        index: &ById<AssetIx>,
        shorts: &BTreeSet<AccountId>,
    ) -> Job {
        let benchmark = target.row.benchmark_asset_id;
        Job {
            ledger: JobLedger::new(ledger, index),
            benchmark: benchmark.and_then(|id| index.get(&id).copied()),
            shorts: shorts.clone(),
            target,
        }
    }

    /// Its rows; none where a state stands in for them.
    pub(super) fn entries(&self) -> Arc<[Entry]> {
        match &self.ledger {
            JobLedger::Rows(entries, _) => Arc::clone(entries),
            JobLedger::State(..) => Arc::default(),
        }
    }

    /// True when its ledger is a state, which may turn out not to do.
    pub(super) fn is_resumed(&self) -> bool {
        matches!(self.ledger, JobLedger::State(..))
    }

    pub(super) fn failed(&self, error: LedgerError) -> Issue {
        failure(self.target.row.id, error.code(), &error)
    }
}

/// The figures of one portfolio; without any when nothing has happened in it.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) periods: Vec<(Period, PeriodFigures)>,
    pub(super) closing: Option<Closing>,
    /// Cash by currency, in base currency.
    pub(super) cash_base: BTreeMap<Currency, Decimal>,
    pub(super) warnings: Vec<Issue>,
}

impl Computed {
    pub(super) fn empty() -> Computed {
        Computed {
            periods: Vec::new(),
            closing: None,
            cash_base: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// What overviews need of it.
    pub(super) fn digest(self, job: &Job) -> PortfolioDigest {
        let Some(closing) = self.closing else {
            let base = job.target.row.base_currency;
            return PortfolioDigest::empty(base, job.target.as_of, self.warnings);
        };
        let since_inception = self.periods.into_iter().next_back();
        let contribution = since_inception.and_then(|(_, figures)| figures.contribution);
        PortfolioDigest::of(
            closing,
            &self.cash_base,
            contribution.unwrap_or_default(),
            self.warnings,
        )
    }
}

pub(super) fn starts(job: &Job) -> Vec<Date> {
    let as_of = job.target.as_of;
    Period::STORED
        .iter()
        .map(|period| period.start(as_of))
        .collect()
}

/// All figures of one portfolio; `series` gives that of a period by its opening day.
pub(super) fn figures<S: Series>(
    market: &Market,
    job: &Job,
    end: &Walked<'_>,
    series: impl Fn(Date) -> S,
) -> Result<Computed, Issue> {
    let failed = |error: LedgerError| job.failed(error);
    let periods = periods(end, market, job, series);
    let closing = Closing::of(end).map_err(failed)?;
    let figures: Vec<&PeriodFigures> = periods.iter().map(|(_, figures)| figures).collect();
    if let Some(wrong) = inconsistencies(end, &closing, &figures)
        .map_err(failed)?
        .first()
    {
        return Err(failure(job.target.row.id, "internal_inconsistency", wrong));
    }
    let cash = end.closing.cash.iter();
    Ok(Computed {
        periods,
        closing: Some(closing),
        cash_base: cash
            .map(|(currency, (_, base))| (*currency, *base))
            .collect(),
        warnings: warnings(end, job),
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
        entries: job.entries(),
        calendar: &job.target.calendar,
        starts,
        to: job.target.as_of,
    }
}

/// The exact skeleton of a portfolio; `None` when nothing has happened in it, or its state will not do.
pub(super) fn outline<'m>(
    market: &'m Market,
    job: &'m Job,
    starts: Vec<Date>,
) -> Result<Option<Outline<'m>>, LedgerError> {
    let request = request(market, job, starts);
    match &job.ledger {
        JobLedger::Rows(..) => Outline::of(request),
        JobLedger::State(state, labels, _) => match state.outline(labels) {
            Some(kept) => Outline::resumed(market, request.rules, kept, request.starts, request.to),
            None => Ok(None),
        },
    }
}

fn periods<S: Series>(
    walk: &Walked<'_>,
    market: &Market,
    job: &Job,
    series: impl Fn(Date) -> S,
) -> Vec<(Period, PeriodFigures)> {
    let windows = Period::STORED.map(|period| series(period.start(job.target.as_of)));
    let breakdowns = Period::STORED.map(|period| match period {
        Period::Max => Breakdown::Assets,
        _ => Breakdown::None,
    });
    let windows: Vec<(&S, Breakdown)> = windows.iter().zip(breakdowns).collect();
    let figures = PeriodFigures::of_all(walk, &windows, settings(market, job));
    Period::STORED.into_iter().zip(figures).collect()
}

/// How returns are annualised and compared; nothing rolls.
pub(super) fn settings<'m>(market: &'m Market, job: &Job) -> ReturnSettings<'m> {
    ReturnSettings {
        metrics: Settings {
            periods_per_year: job.target.calendar.periods_per_year(),
            risk_free: job.target.row.risk_free_rate.to_f64(),
            ..Settings::default()
        },
        benchmark: job.benchmark.map(|asset| market.benchmark(asset)),
        ..ReturnSettings::default()
    }
}

/// What is odd about the ledger, and a day that the calendar's table does not know.
pub(super) fn warnings(walk: &Walked<'_>, job: &Job) -> Vec<Issue> {
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
        id: Some(id.into()),
        code: code.to_owned(),
        message: message.to_string(),
    }
}

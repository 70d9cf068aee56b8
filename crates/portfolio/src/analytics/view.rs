//! A user's portfolios loaded to be looked at: over any range, and with the names that people know.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::calendars::MadeCalendars;
use super::compute::{self, Job};
use super::envelope::Issue;
use super::hash::LedgerDigest;
use super::load::{self, LoadedLedger};
use super::request::RefreshRequest;
use crate::attribution::linked::{LinkedAttribution, linked};
use crate::attribution::mix::components;
use crate::error::{Error, Result};
use crate::figures::ReturnSettings;
use crate::ledger::{AccountId, LedgerError};
use crate::market::Market;
use crate::money::Currency;
use crate::series::{Series as _, Walk};
use crate::store::{PortfolioRow, Store, asset_index};
use crate::targets::{Aim, Proposal, TargetPlan};

/// Portfolios with all that they refer to.
#[derive(Debug)]
pub struct View {
    /// Prices and rates of what is held.
    pub market: Market,
    /// Their owner's name.
    pub owner: String,
    /// The currency in which the owner reckons.
    pub owner_currency: Currency,
    /// Asset names by symbol.
    pub asset_names: BTreeMap<String, String>,
    /// Remarks by transaction.
    pub notes: BTreeMap<i64, String>,
    /// How portfolios are meant to be divided, by their ids, where that is said.
    pub targets: BTreeMap<i64, TargetPlan>,
    /// In the order of their ids.
    pub portfolios: Vec<Viewed>,
}

/// One portfolio of a view.
#[derive(Debug)]
pub struct Viewed {
    job: Job,
}

/// Loads a user's active portfolios, or the one that is named, as they were on a day; without one on the last completed
/// session of each portfolio's calendar.
///
/// # Errors
/// Wrong arguments, a missing or foreign id, an unknown calendar, or a database error.
pub async fn view(
    store: &Store,
    user_id: i64,
    portfolio_id: Option<i64>,
    as_of: Option<Date>,
) -> Result<View> {
    load_view(store, user_id, portfolio_id, as_of, None).await
}

/// As [`view`], as if this were the plan of every portfolio.
///
/// # Errors
/// As [`view`].
pub async fn view_with_plan(
    store: &Store,
    user_id: i64,
    portfolio_id: Option<i64>,
    as_of: Option<Date>,
    plan: &TargetPlan,
) -> Result<View> {
    load_view(store, user_id, portfolio_id, as_of, Some(plan)).await
}

async fn load_view(
    store: &Store,
    user_id: i64,
    portfolio_id: Option<i64>,
    as_of: Option<Date>,
    plan: Option<&TargetPlan>,
) -> Result<View> {
    let request = RefreshRequest {
        user_id: Some(user_id),
        portfolio_ids: portfolio_id.map(|id| vec![id]),
        as_of,
        ..RefreshRequest::new("")
    };
    request.check()?;
    let owner = store.user(user_id).await?;
    let rows = load::scope(store, &request).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let targets = match plan {
        Some(plan) => ids.iter().map(|id| (*id, plan.clone())).collect(),
        None => store.targets(&ids).await?,
    };
    let also = target_assets(store, &targets).await?;
    let (market, portfolios) = portfolios(store, &request, rows, also).await?;
    Ok(View {
        market,
        owner: owner.display_name,
        owner_currency: owner.base_currency,
        asset_names: store.asset_names().await?,
        notes: store.notes(&ids).await?,
        targets,
        portfolios,
    })
}

/// An active portfolio of a user's.
///
/// # Errors
/// When it does not exist or is another user's, or a database error.
pub async fn owned_portfolio(
    store: &Store,
    user_id: i64,
    portfolio_id: i64,
) -> Result<PortfolioRow> {
    let request = RefreshRequest {
        user_id: Some(user_id),
        portfolio_ids: Some(vec![portfolio_id]),
        ..RefreshRequest::new("")
    };
    let mut found = load::scope(store, &request).await?;
    found.pop().ok_or_else(|| Error::NotFound {
        what: "active portfolio",
        id: portfolio_id.to_string(),
    })
}

/// Refuses a range that opens after the last day of every portfolio: it has no day.
pub(super) fn check_opening(start: Option<Date>, portfolios: &[Viewed]) -> Result<()> {
    let last = portfolios.iter().map(Viewed::as_of).max();
    match (start, last) {
        (Some(start), Some(last)) if start > last => Err(Error::InvalidArgument {
            field: "start",
            value: start.to_string(),
            rule: "must not be after the last day",
        }),
        _ => Ok(()),
    }
}

/// The assets that plans name, held or not.
async fn target_assets(store: &Store, plans: &BTreeMap<i64, TargetPlan>) -> Result<BTreeSet<i64>> {
    if plans.is_empty() {
        return Ok(BTreeSet::new());
    }
    let known = store.asset_ids().await?;
    let symbols = plans.values().flat_map(TargetPlan::symbols);
    Ok(symbols
        .filter_map(|symbol| known.get(symbol).copied())
        .collect())
}

/// The given portfolios with the market that they need, and these assets besides.
pub(super) async fn portfolios(
    store: &Store,
    request: &RefreshRequest,
    rows: Vec<PortfolioRow>,
    also: BTreeSet<i64>,
) -> Result<(Market, Vec<Viewed>)> {
    let rates = store.rates().await?;
    let shorts: BTreeSet<AccountId> = store.short_accounts().await?.into_iter().collect();
    let shared = load::revisions(store, &rates, &shorts, None).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut entries = store.entries(&ids).await?;
    let (mut targets, mut assets) = (Vec::new(), also);
    let mut calendars = MadeCalendars::new(&request.calendars);
    for row in &rows {
        let calendar = calendars.get(&row.calendar)?;
        let stored = entries.remove(&row.id).unwrap_or_default();
        let digest = LedgerDigest::of(&stored);
        let as_of = calendars.day(&row.calendar, request)?;
        let (target, named) = load::target(row, &digest, calendar, as_of, &shared);
        targets.push((target, stored));
        assets.extend(named);
    }
    let market = store
        .market(&assets.into_iter().collect::<Vec<_>>())
        .await?;
    let index = asset_index(&market);
    let portfolios = targets.into_iter().map(|(target, stored)| Viewed {
        job: Job::new(target, LoadedLedger::Rows(stored, None), &index, &shorts),
    });
    let portfolios = portfolios.collect();
    Ok((market, portfolios))
}

impl View {
    /// What to trade in a portfolio of the view that has a plan and in which something has happened; `None` otherwise.
    ///
    /// # Errors
    /// What is wrong with its ledger.
    pub fn proposal(&self, viewed: &Viewed, aim: Aim) -> Result<Option<Proposal>, LedgerError> {
        let plan = self.targets.get(&viewed.row().id);
        let walk = viewed.walk(&self.market, Vec::new())?;
        let both = plan.zip(walk);
        both.map(|(plan, walk)| Proposal::of(plan, &walk, aim))
            .transpose()
    }

    /// Checks the opening day of a range that ends with the view.
    ///
    /// # Errors
    /// When it is after the last day.
    pub fn check_opening(&self, start: Date) -> Result<()> {
        check_opening(Some(start), &self.portfolios)
    }

    /// Why a portfolio of the view that has a plan did otherwise than the plan since a day; `None` without a plan, or when nothing
    /// has happened.
    ///
    /// # Errors
    /// What is wrong with its ledger, or why it cannot be compared with its plan.
    pub fn attribution(
        &self,
        viewed: &Viewed,
        from: Date,
    ) -> Result<Option<LinkedAttribution>, Issue> {
        let id = viewed.row().id;
        let ledger = |error: LedgerError| compute::failure(id, error.code(), &error);
        let Some(plan) = self.targets.get(&id) else {
            return Ok(None);
        };
        let walk = viewed.walk(&self.market, vec![from]).map_err(ledger)?;
        let Some(walk) = walk else {
            return Ok(None);
        };
        let window = walk.window(from);
        let base = viewed.row().base_currency;
        let mix = components(plan, &self.market, base, &window)
            .map_err(|error| compute::failure(id, "no_benchmark", &error))?;
        let returns = window.returns();
        let found = returns
            .unbroken()
            .and_then(|returns| linked(&walk, &window, returns, (plan.dimension, &mix)));
        let lost = "there was nothing left, or less, on a day of the range";
        found
            .map(Some)
            .ok_or_else(|| compute::failure(id, "non_positive_equity", &lost))
    }
}

impl Viewed {
    /// What computing needs.
    pub(super) fn into_job(self) -> Job {
        self.job
    }

    /// Its settings.
    pub fn row(&self) -> &PortfolioRow {
        &self.job.target.row
    }

    /// The last day.
    pub fn as_of(&self) -> Date {
        self.job.target.as_of
    }

    /// The hash of everything that its figures depend on.
    pub fn input_hash(&self) -> &str {
        &self.job.target.hash
    }

    /// The ledger walked to the last day; `None` when nothing has happened until then. A range may open on a start.
    ///
    /// # Errors
    /// What is wrong with the ledger.
    pub fn walk<'v>(
        &'v self,
        market: &'v Market,
        starts: Vec<Date>,
    ) -> Result<Option<Walk<'v>>, LedgerError> {
        Walk::run(compute::request(market, &self.job, starts))
    }

    /// How its returns are annualised and compared.
    pub fn settings<'v>(&self, market: &'v Market) -> ReturnSettings<'v> {
        compute::settings(market, &self.job)
    }
}

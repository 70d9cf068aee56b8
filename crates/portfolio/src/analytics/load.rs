//! What a refresh reads: the portfolios in scope, which of them have changed, and the market they need.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use calendar::Calendar;
use jiff::civil::Date;

use super::calendars::MadeCalendars;
use super::compute::Job;
use super::digest::PortfolioDigest;
use super::hash::{self, Revisions};
use super::period::Period;
use super::request::RefreshRequest;
use super::{save, stored};
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use crate::market::AssetIx;
use crate::store::{PortfolioRow, Store, StoredEntry};

/// One portfolio of a run.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) row: PortfolioRow,
    pub(super) calendar: Arc<Calendar>,
    pub(super) as_of: Date,
    pub(super) hash: String,
}

/// What one portfolio needs.
#[derive(Debug)]
pub(super) enum Need {
    /// Its input has changed.
    Compute(Changed),
    /// Its stored results are current.
    Nothing(Target, PortfolioDigest),
    /// It cannot be computed.
    Fail(PortfolioRow, Error),
}

/// A portfolio to be computed, with its ledger.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) target: Target,
    pub(super) entries: Vec<StoredEntry>,
    /// Every asset that it names.
    pub(super) assets: BTreeSet<i64>,
}

impl Changed {
    pub(super) fn job(self, index: &HashMap<i64, AssetIx>, shorts: &BTreeSet<AccountId>) -> Job {
        Job::new(self.target, self.entries, index, shorts)
    }
}

/// The active portfolios that the request means.
pub(super) async fn scope(store: &Store, request: &RefreshRequest) -> Result<Vec<PortfolioRow>> {
    if let Some(user_id) = request.user_id {
        store.require_user(user_id).await?;
    }
    let all = store.portfolios(None).await?;
    let Some(ids) = &request.portfolio_ids else {
        let mine = |row: &PortfolioRow| {
            row.is_active && request.user_id.is_none_or(|user_id| row.user_id == user_id)
        };
        return Ok(all.into_iter().filter(mine).collect());
    };
    let mut found: HashMap<i64, PortfolioRow> = all.into_iter().map(|row| (row.id, row)).collect();
    let wanted: BTreeSet<i64> = ids.iter().copied().collect();
    let rows: Result<Vec<PortfolioRow>> = wanted
        .into_iter()
        .map(|id| claim(&mut found, id, request.user_id))
        .collect();
    Ok(rows?.into_iter().filter(|row| row.is_active).collect())
}

fn claim(
    found: &mut HashMap<i64, PortfolioRow>,
    id: i64,
    user_id: Option<i64>,
) -> Result<PortfolioRow> {
    let row = found.remove(&id).ok_or_else(|| Error::NotFound {
        what: "portfolio",
        id: id.to_string(),
    })?;
    if user_id.is_some_and(|user_id| user_id != row.user_id) {
        return Err(Error::Forbidden {
            what: "portfolio",
            id: id.to_string(),
        });
    }
    Ok(row)
}

/// What the hashes of all portfolios share. With `until`, what happens after it is left out.
pub(super) async fn revisions(
    store: &Store,
    rates: &crate::fx::RateTable,
    shorts: &BTreeSet<AccountId>,
    until: Option<Date>,
) -> Result<Revisions> {
    Ok(Revisions {
        assets: match until {
            Some(until) => store.asset_revisions(until).await?,
            None => {
                let counts = store.asset_counts().await?.into_iter();
                counts.map(|(id, count)| (id, count.to_string())).collect()
            }
        },
        rates: hash::rates(rates, until.unwrap_or(Date::MAX)),
        shorts: format!("{shorts:?}"),
    })
}

/// Decides what some portfolios need. The cache entries of those that have not changed live on.
pub(super) async fn needs(
    store: &Store,
    request: &RefreshRequest,
    rows: &[PortfolioRow],
    shared: &Revisions,
) -> Result<Vec<Need>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut entries = store.entries(&ids).await?;
    let mut calendars = MadeCalendars::new(&request.calendars);
    let mut needs = Vec::with_capacity(rows.len());
    for row in rows {
        let entries = entries.remove(&row.id).unwrap_or_default();
        needs.push(match calendars.get(&row.calendar) {
            Ok(calendar) => Need::Compute(changed(request, row, entries, calendar, shared)),
            Err(error) => Need::Fail(row.clone(), error.into()),
        });
    }
    if request.full {
        return Ok(needs);
    }
    let current = current(store, request, &ids, &needs).await?;
    Ok(needs
        .into_iter()
        .map(|need| need.unless_known(&current))
        .collect())
}

impl Need {
    fn unless_known(self, current: &HashMap<i64, PortfolioDigest>) -> Need {
        match self {
            Need::Compute(changed) => match current.get(&changed.target.row.id) {
                Some(digest) => Need::Nothing(changed.target, digest.clone()),
                None => Need::Compute(changed),
            },
            other => other,
        }
    }
}

/// The stored digests of the same input, where they can be read and the cache entries still exist.
async fn current(
    store: &Store,
    request: &RefreshRequest,
    ids: &[i64],
    needs: &[Need],
) -> Result<HashMap<i64, PortfolioDigest>> {
    let mut payloads = store.all_time_payloads(ids, Period::STORED.len()).await?;
    let mut found = HashMap::new();
    for need in needs {
        let Need::Compute(Changed { target, .. }) = need else {
            continue;
        };
        let same = payloads
            .remove(&target.row.id)
            .filter(|(hash, _)| *hash == target.hash);
        let digest = same.and_then(|(_, payload)| {
            stored::digest(&payload, target.row.base_currency, target.as_of)
        });
        found.extend(digest.map(|digest| (target.row.id, digest)));
    }
    let keys: Vec<String> = found
        .keys()
        .flat_map(|id| save::portfolio_keys(*id))
        .collect();
    let alive = store
        .extend_cache(&keys, save::expiry((request.clock)()))
        .await?;
    found.retain(|id, _| {
        save::portfolio_keys(*id)
            .iter()
            .all(|key| alive.contains(key))
    });
    Ok(found)
}

fn changed(
    request: &RefreshRequest,
    row: &PortfolioRow,
    entries: Vec<StoredEntry>,
    calendar: Arc<Calendar>,
    shared: &Revisions,
) -> Changed {
    let (target, assets) = target(request, row, &entries, calendar, shared);
    Changed {
        target,
        entries,
        assets,
    }
}

/// A portfolio with its day and input hash, and the assets that it names.
pub(super) fn target(
    request: &RefreshRequest,
    row: &PortfolioRow,
    entries: &[StoredEntry],
    calendar: Arc<Calendar>,
    shared: &Revisions,
) -> (Target, BTreeSet<i64>) {
    let as_of = request.day(&calendar);
    let (hash, named) = hash::portfolio(row, entries, shared, as_of);
    (
        Target {
            row: row.clone(),
            calendar,
            as_of,
            hash,
        },
        named,
    )
}

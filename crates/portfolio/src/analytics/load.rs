//! What a refresh reads: the portfolios in scope, which of them have changed, and the market they need.

use std::collections::{BTreeSet, HashMap};

use calendar::Calendar;
use jiff::civil::Date;

use super::digest::PortfolioDigest;
use super::hash::{self, Revisions};
use super::period::Period;
use super::request::RefreshRequest;
use super::save;
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use crate::store::{PortfolioRow, Store, StoredEntry};

/// One portfolio of a run.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) row: PortfolioRow,
    pub(super) calendar: Calendar,
    pub(super) as_of: Date,
    pub(super) hash: String,
}

/// What one portfolio needs.
#[derive(Debug)]
pub(super) enum Need {
    /// Its input has changed.
    Compute(Target),
    /// Its stored results are current.
    Nothing(Target, PortfolioDigest),
    /// It cannot be computed.
    Fail(PortfolioRow, Error),
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

/// What the hashes of all portfolios share; what happens after `until` is left out.
pub(super) async fn revisions(
    store: &Store,
    rates: &crate::fx::RateTable,
    shorts: &BTreeSet<AccountId>,
    until: Date,
) -> Result<Revisions> {
    Ok(Revisions {
        assets: store.asset_revisions(until).await?,
        rates: hash::rates(rates, until),
        shorts: format!("{shorts:?}"),
    })
}

/// Decides what some portfolios need, and collects the assets of those to be computed.
pub(super) async fn needs(
    store: &Store,
    request: &RefreshRequest,
    rows: &[PortfolioRow],
    shared: &Revisions,
    assets: &mut BTreeSet<i64>,
) -> Result<Vec<Need>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let entries = store.entries(&ids).await?;
    let mut stored = store.stored_digests(&ids, Period::STORED.len()).await?;
    let mut needs = Vec::with_capacity(rows.len());
    for row in rows {
        let calendar = match request.calendars.get(&row.calendar) {
            Ok(calendar) => calendar,
            Err(error) => {
                needs.push(Need::Fail(row.clone(), error.into()));
                continue;
            }
        };
        let own = entries.get(&row.id).map_or(&[][..], Vec::as_slice);
        let (target, named) = target(request, row, own, calendar, shared);
        match still_current(store, request, &target, stored.remove(&row.id)).await? {
            Some(digest) => needs.push(Need::Nothing(target, digest)),
            None => {
                assets.extend(named);
                needs.push(Need::Compute(target));
            }
        }
    }
    Ok(needs)
}

/// A portfolio with its day and input hash, and the assets that it names.
pub(super) fn target(
    request: &RefreshRequest,
    row: &PortfolioRow,
    entries: &[StoredEntry],
    calendar: Calendar,
    shared: &Revisions,
) -> (Target, BTreeSet<i64>) {
    let last_session = || calendar.last_completed((request.clock)());
    let as_of = request.as_of.unwrap_or_else(last_session);
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

/// The stored digest, when its input is the same, it can be read, and the cache entries still exist; these then live on.
async fn still_current(
    store: &Store,
    request: &RefreshRequest,
    target: &Target,
    stored: Option<(String, String)>,
) -> Result<Option<PortfolioDigest>> {
    let stored = stored.filter(|(hash, _)| *hash == target.hash && !request.full);
    let digest =
        stored.and_then(|(_, digest)| serde_json::from_str::<PortfolioDigest>(&digest).ok());
    let Some(digest) = digest else {
        return Ok(None);
    };
    let keys = save::portfolio_keys(target.row.id);
    let alive = store
        .extend_cache(&keys, save::expiry((request.clock)()))
        .await?;
    Ok((alive == keys.len() as u64).then_some(digest))
}

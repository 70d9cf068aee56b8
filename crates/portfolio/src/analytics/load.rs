//! What a refresh reads: the portfolios in scope, which of them have changed, and the market they need.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use calendar::Calendar;
use jiff::civil::Date;

use super::calendars::MadeCalendars;
use super::compute::Job;
use super::digest::PortfolioDigest;
use super::hash::{self, LedgerDigest, Revisions};
use super::request::RefreshRequest;
use super::states::{Grounds, Keeping, KeptState, Resume};
use super::{save, stored};
use crate::by_id::ById;
use crate::error::{Error, Result};
use crate::fx::RateTable;
use crate::ledger::AccountId;
use crate::market::AssetIx;
use crate::store::{MadeFrom, PortfolioRow, Store, StoredEntry};

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
    pub(super) ledger: LoadedLedger,
    /// The ids of all assets that it names, in order.
    pub(super) assets: Vec<i64>,
}

/// A ledger as it is loaded.
#[derive(Debug)]
pub(super) enum LoadedLedger {
    /// Its rows, and how the state that they come to is to be kept.
    Rows(Vec<StoredEntry>, Option<Keeping>),
    /// The state that they came to earlier, and how it is to be kept anew, if it is.
    State(KeptState, Option<Keeping>),
}

/// What the decisions of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) revisions: Revisions,
    pub(super) grounds: Grounds,
}

impl Shared {
    /// To be read before anything that the decisions are about. With `until`, hashes leave out prices and rates that come after it.
    pub(super) async fn read(
        store: &Store,
        rates: &RateTable,
        shorts: &BTreeSet<AccountId>,
        until: Option<Date>,
    ) -> Result<Shared> {
        let revisions = revisions(store, rates, shorts, until).await?;
        Ok(Shared {
            grounds: Grounds::read(store, rates, &revisions.shorts).await?,
            revisions,
        })
    }
}

impl Changed {
    pub(super) fn job(self, index: &ById<AssetIx>, shorts: &BTreeSet<AccountId>) -> Job {
        Job::new(self.target, self.ledger, index, shorts)
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

/// What the hashes of all portfolios share. With `until`, prices and rates that come after it are left out.
pub(super) async fn revisions(
    store: &Store,
    rates: &RateTable,
    shorts: &BTreeSet<AccountId>,
    until: Option<Date>,
) -> Result<Revisions> {
    Ok(Revisions {
        installation: store.installation().await?,
        assets: match until {
            Some(until) => store.settled_counts(until).await?,
            None => store.asset_counts().await?,
        },
        rates: hash::rates(rates, until.unwrap_or(Date::MAX)),
        shorts: format!("{shorts:?}"),
    })
}

/// The last days of portfolios; those with unknown calendars have none.
pub(super) fn days(request: &RefreshRequest, rows: &[PortfolioRow]) -> BTreeSet<Date> {
    let codes: BTreeSet<&str> = rows.iter().map(|row| row.calendar.as_str()).collect();
    let known = codes
        .into_iter()
        .filter_map(|code| request.calendars.get(code).ok());
    known.map(|calendar| request.day(&calendar)).collect()
}

/// Decides what some portfolios need. The cache entries of those that have not changed live on. The rows of ledgers that are
/// resumed are not read.
pub(super) async fn needs(
    store: &Store,
    request: &RefreshRequest,
    rows: &[PortfolioRow],
    shared: &Shared,
    resume: Resume,
) -> Result<Vec<Need>> {
    let mut calendars = MadeCalendars::new(&request.calendars);
    let mut ledgers = Ledgers::load(store, request, rows, shared, &mut calendars, resume).await?;
    let mut needs = Vec::with_capacity(rows.len());
    for row in rows {
        let day = calendars.day(&row.calendar, request);
        let found = day.and_then(|day| Ok((calendars.get(&row.calendar)?, day)));
        needs.push(match found {
            Ok((calendar, day)) => Need::Compute(ledgers.changed(row, calendar, day, shared)),
            Err(error) => Need::Fail(row.clone(), error.into()),
        });
    }
    if request.full {
        return Ok(needs);
    }
    let current = current(store, request, &needs).await?;
    Ok(needs
        .into_iter()
        .map(|need| need.unless_known(&current))
        .collect())
}

/// The ledgers of some portfolios: states where they will do, rows elsewhere.
pub(super) struct Ledgers {
    states: HashMap<i64, KeptState>,
    entries: HashMap<i64, Vec<StoredEntry>>,
    /// How often they were written, which was read before the rows.
    revisions: HashMap<i64, String>,
}

impl Ledgers {
    /// The calendars are those of the request, which says the last day.
    pub(super) async fn load(
        store: &Store,
        request: &RefreshRequest,
        rows: &[PortfolioRow],
        shared: &Shared,
        calendars: &mut MadeCalendars<'_>,
        resume: Resume,
    ) -> Result<Ledgers> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut kept = store.kept_ledgers(&ids, resume != Resume::Nothing).await?;
        let (mut states, mut days) = (HashMap::new(), BTreeSet::new());
        for row in rows {
            let as_of = calendars.day(&row.calendar, request).ok();
            days.extend(as_of);
            let state = as_of
                .zip(kept.get_mut(&row.id))
                .and_then(|(as_of, kept)| KeptState::of(kept, row, as_of, &shared.grounds, resume));
            days.extend(state.iter().map(KeptState::day));
            states.extend(state.map(|state| (row.id, state)));
        }
        shared.grounds.settle(store, days).await?;
        let without: Vec<i64> = ids
            .into_iter()
            .filter(|id| !states.contains_key(id))
            .collect();
        Ok(Ledgers {
            states,
            entries: store.entries(&without).await?,
            revisions: kept
                .into_iter()
                .map(|(id, kept)| (id, kept.revision))
                .collect(),
        })
    }

    fn changed(
        &mut self,
        row: &PortfolioRow,
        calendar: Arc<Calendar>,
        as_of: Date,
        shared: &Shared,
    ) -> Changed {
        let (ledger, digest) = self.take(row, as_of, &shared.grounds);
        let (target, assets) = target(row, &digest, calendar, as_of, &shared.revisions);
        Changed {
            target,
            ledger,
            assets,
        }
    }

    /// The ledger of a portfolio, without rows of later days, and what it is in short; its state is not kept.
    pub(super) fn until(
        &mut self,
        id: i64,
        date: Date,
        grounds: &Grounds,
    ) -> (LoadedLedger, LedgerDigest) {
        if let Some(mut state) = self.states.remove(&id) {
            state.keep_series(grounds);
            let digest = state.ledger.clone();
            return (LoadedLedger::State(state, None), digest);
        }
        let mut entries = self.entries.remove(&id).unwrap_or_default();
        entries.retain(|stored| stored.entry.date <= date);
        let digest = LedgerDigest::of(&entries);
        (LoadedLedger::Rows(entries, None), digest)
    }

    /// The ledger of a portfolio and what it is in short.
    fn take(
        &mut self,
        row: &PortfolioRow,
        as_of: Date,
        grounds: &Grounds,
    ) -> (LoadedLedger, LedgerDigest) {
        let revision = self.revisions.get(&row.id).map_or("", String::as_str);
        if let Some(mut state) = self.states.remove(&row.id) {
            let digest = state.ledger.clone();
            let is_renewed = !state.keep_series(grounds) || state.is_old(as_of);
            let keeping = is_renewed.then(|| Keeping::new(row, &digest, revision, as_of, grounds));
            return (LoadedLedger::State(state, keeping), digest);
        }
        let entries = self.entries.remove(&row.id).unwrap_or_default();
        let digest = LedgerDigest::of(&entries);
        let at_market = |stored: &StoredEntry| stored.entry.kind.is_booked_at_market();
        let keeping = (!entries.iter().any(at_market))
            .then(|| Keeping::new(row, &digest, revision, as_of, grounds));
        (LoadedLedger::Rows(entries, keeping), digest)
    }
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
    needs: &[Need],
) -> Result<HashMap<i64, PortfolioDigest>> {
    let targets = needs.iter().filter_map(|need| match need {
        Need::Compute(changed) => Some(&changed.target),
        _ => None,
    });
    let targets: Vec<&Target> = targets.collect();
    let inputs = targets.iter().map(|target| MadeFrom {
        id: target.row.id,
        as_of: target.as_of,
        hash: &target.hash,
    });
    let inputs: Vec<MadeFrom<'_>> = inputs.collect();
    let payloads = store.portfolio_payloads(&inputs).await?;
    let mut found = HashMap::new();
    for target in targets {
        let payload = payloads.get(&target.row.id);
        let digest = payload
            .and_then(|payload| stored::digest(payload, target.row.base_currency, target.as_of));
        found.extend(digest.map(|digest| (target.row.id, digest)));
    }
    let ids: Vec<i64> = found.keys().copied().collect();
    let expires = save::expiry((request.clock)());
    let alive = store.extend_portfolio_caches(&ids, expires).await?;
    found.retain(|id, _| alive.contains(id));
    Ok(found)
}

/// A portfolio with its day and input hash, and the assets that it names.
pub(super) fn target(
    row: &PortfolioRow,
    ledger: &LedgerDigest,
    calendar: Arc<Calendar>,
    as_of: Date,
    shared: &Revisions,
) -> (Target, Vec<i64>) {
    let (hash, named) = hash::portfolio(row, ledger, shared, as_of);
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

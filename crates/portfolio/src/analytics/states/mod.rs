//! Ledgers that need not be applied again: what a kept state rests on, when it may be used, and its bytes.
//!
//! A state rests on the formulas, the portfolio's settings, how often the portfolio, its accounts and their rows were written,
//! how often the corporate actions of the assets that its rows name were, and the exchange rates until its day. While all of
//! that is the same, later days bring nothing but prices: until the first day on which something is known to happen (a row
//! or a corporate action dated later, a dividend that will be missed), from which on the ledger is applied again. Ledgers
//! with rows that are booked at the market's price rest on prices too and are not kept.
//!
//! With a state its daily values are kept. They rest on prices besides: on how often those of its assets were written, less
//! those of later days (see [`Grounds::settle`]). Where that has changed, or many days have passed, the values of all days are
//! made anew from the state, and kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bincode::config::{Configuration, standard};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::hash::{self, FORMULAS, LedgerDigest};
use crate::by_id::ById;
use crate::dates::days_between;
use crate::engine::{KeptOutline, Valued};
use crate::error::Result;
use crate::fx::RateTable;
use crate::market::AssetIx;
use crate::store::{KeptLedger, NewLedgerState, PortfolioRow, Store};

/// How states are written; of another form they have other [`FORMULAS`].
const FORM: Configuration = standard();

/// What most states need.
const ROOM: usize = 32 * 1024;

/// Days after which the daily values of a state are kept anew: until then the later ones are made each time.
const LONG: i64 = 60;

/// What the states of all portfolios rest on besides their own ledgers.
#[derive(Debug)]
pub(super) struct Grounds {
    /// How often what ledgers take from each asset was written, by asset id.
    facts: ById<i64>,
    shorts: String,
    rates: RateTable,
    /// The hashes of the rates until some days.
    until: Mutex<BTreeMap<Date, String>>,
    /// By day and asset id.
    settled: Mutex<BTreeMap<Date, ById<i64>>>,
}

impl Grounds {
    /// To be read before the market, so that what is written meanwhile leaves a state that is not used.
    pub(super) async fn read(store: &Store, rates: &RateTable, shorts: &str) -> Result<Grounds> {
        Ok(Grounds {
            facts: store.fact_counts().await?,
            shorts: hash::joined([shorts].into_iter()),
            rates: rates.clone(),
            until: Mutex::default(),
            settled: Mutex::default(),
        })
    }

    /// Reads for some days how often each asset was written, less its prices of later days: what brings new days leaves that
    /// as it is, and whatever else is written raises it. For the last days of portfolios that must be before prices are read.
    pub(super) async fn settle(&self, store: &Store, days: BTreeSet<Date>) -> Result<()> {
        for day in days {
            let is_known = self.settled().contains_key(&day);
            if !is_known {
                let counts = store.settled_counts(day).await?;
                self.settled().insert(day, counts);
            }
        }
        Ok(())
    }

    fn settled(&self) -> MutexGuard<'_, BTreeMap<Date, ById<i64>>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the values of some assets until a day rest on; `None` for a day that was not settled.
    fn settled_of(&self, assets: &[i64], day: Date) -> Option<i64> {
        let settled = self.settled();
        let counts = settled.get(&day)?;
        Some(assets.iter().filter_map(|id| counts.get(id)).sum())
    }

    /// What the state of a ledger on a day rests on.
    fn of(&self, row: &PortfolioRow, revision: &str, assets: &[i64], day: Date) -> String {
        let facts: i64 = assets.iter().filter_map(|id| self.facts.get(id)).sum();
        let (base, method, income) = (row.base_currency, row.lot_method, row.income);
        format!(
            "{FORMULAS}|{base}|{method:?}|{income:?}|{}|{revision}|{facts}|{}",
            self.shorts,
            self.rates_until(day)
        )
    }

    fn rates_until(&self, day: Date) -> String {
        let mut known = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = known
            .entry(day)
            .or_insert_with(|| hash::rates(&self.rates, day));
        hash.clone()
    }
}

/// What must be known of a state before it is read whole.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Its day.
    #[serde(with = "crate::packed::day")]
    day: Date,
    /// The first day on which it is of no use any more.
    #[serde(with = "crate::packed::maybe_day")]
    next_event: Option<Date>,
    /// What its daily values rest on.
    settled: Option<i64>,
    ledger: LedgerDigest,
}

/// Which states that are kept are used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resume {
    /// None: rows are read.
    Nothing,
    /// Those that are right for the day.
    Right,
    /// Of these, those after which nothing is known to happen, so that no row is of a later day.
    RightToTheEnd,
}

/// A state that may be used.
#[derive(Debug)]
pub(super) struct KeptState {
    pub(super) ledger: LedgerDigest,
    day: Date,
    settled: Option<i64>,
    has_series: bool,
    bytes: Vec<u8>,
    /// Where the outline begins.
    start: usize,
}

impl KeptState {
    /// The state that is kept of a portfolio, if it is right for `as_of`.
    pub(super) fn of(
        kept: &mut KeptLedger,
        row: &PortfolioRow,
        as_of: Date,
        grounds: &Grounds,
        resume: Resume,
    ) -> Option<KeptState> {
        let (rests_on, bytes) = kept.state.take()?;
        let (head, start): (Head, usize) = bincode::serde::decode_from_slice(&bytes, FORM).ok()?;
        let in_time =
            head.day <= as_of && head.next_event.is_none_or(|next_event| as_of < next_event);
        let in_time = in_time && (resume != Resume::RightToTheEnd || head.next_event.is_none());
        let right = || rests_on == grounds.of(row, &kept.revision, &head.ledger.assets, head.day);
        (in_time && right()).then_some(KeptState {
            ledger: head.ledger,
            day: head.day,
            settled: head.settled,
            has_series: false,
            bytes,
            start,
        })
    }

    /// Its day.
    pub(super) fn day(&self) -> Date {
        self.day
    }

    /// Has its daily values used if they are right; its day must be settled. True when they are.
    pub(super) fn keep_series(&mut self, grounds: &Grounds) -> bool {
        let settled = grounds.settled_of(&self.ledger.assets, self.day);
        self.has_series = settled.is_some() && settled == self.settled;
        self.has_series
    }

    /// True when its daily values end long before `as_of`.
    pub(super) fn is_old(&self, as_of: Date) -> bool {
        days_between(self.day, as_of) > LONG
    }

    /// The outline that was kept; `labels` are the indices of [`LedgerDigest::assets`] in the market. `None` when that lacks
    /// one, or the bytes are none of ours.
    pub(super) fn outline(&self, labels: &[AssetIx]) -> Option<KeptOutline> {
        if labels.len() != self.ledger.assets.len() {
            return None;
        }
        let (outline, _): (KeptOutline, usize) =
            bincode::serde::borrow_decode_from_slice(&self.bytes[self.start..], FORM).ok()?;
        let outline = outline.relabelled(|asset| labels[asset.0]);
        Some(if self.has_series {
            outline
        } else {
            outline.without_series()
        })
    }
}

/// How the state of a ledger is to be kept.
#[derive(Debug)]
pub(super) struct Keeping {
    portfolio_id: i64,
    day: Date,
    rests_on: String,
    settled: Option<i64>,
    ledger: LedgerDigest,
}

impl Keeping {
    /// Of a ledger on a day; how often it was written must have been read before its rows.
    pub(super) fn new(
        row: &PortfolioRow,
        ledger: &LedgerDigest,
        revision: &str,
        day: Date,
        grounds: &Grounds,
    ) -> Keeping {
        Keeping {
            portfolio_id: row.id,
            day,
            rests_on: grounds.of(row, revision, &ledger.assets, day),
            settled: grounds.settled_of(&ledger.assets, day),
            ledger: ledger.clone(),
        }
    }

    /// What is kept of a valued portfolio; `id` gives the ids of the assets of the market that it was made with.
    pub(super) fn state(
        &self,
        valued: &Valued<'_, '_>,
        id: impl Fn(AssetIx) -> i64,
    ) -> NewLedgerState {
        let label = |asset| {
            let place = self.ledger.assets.binary_search(&id(asset));
            AssetIx(place.expect("a ledger knows only assets that its rows name"))
        };
        let head = Head {
            day: self.day,
            next_event: valued.outline.next_event(),
            settled: self.settled,
            ledger: self.ledger.clone(),
        };
        let kept = (head, KeptOutline::of(valued).relabelled(label));
        let mut state = Vec::with_capacity(ROOM);
        bincode::serde::encode_into_std_write(&kept, &mut state, FORM)
            .expect("a state is plain data of a fixed layout");
        NewLedgerState {
            portfolio_id: self.portfolio_id,
            rests_on: self.rests_on.clone(),
            state,
        }
    }
}

#[cfg(test)]
mod tests;

//! Input hashes: SHA-256 over everything that a result depends on.
//!
//! Ledgers enter by the hashes of their rows, settings in the form that `Debug` gives them: a changed field changes the hash,
//! and a changed form only makes results be computed once more.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::fx::RateTable;
use crate::store::{PortfolioRow, StoredEntry};

/// Changes whenever a formula or the stored form of results changes, so that old results are not taken for current ones.
pub(super) const FORMULAS: &str = "5";

const WRITES: &str = "writing to a string does not fail";

/// The rows of a ledger in short.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LedgerDigest {
    /// The hash of the hashes of its rows.
    pub(super) hash: [u8; 32],
    /// The ids of the assets that they name, in order.
    pub(super) assets: Vec<i64>,
}

/// What all portfolios of a run share.
#[derive(Debug)]
pub(super) struct Revisions {
    /// Facts, prices and actions by asset id.
    pub(super) assets: HashMap<i64, String>,
    /// The hash of all exchange rates.
    pub(super) rates: String,
    /// Accounts that may be short.
    pub(super) shorts: String,
}

impl LedgerDigest {
    /// Of rows in the order of their ids.
    pub(super) fn of(entries: &[StoredEntry]) -> LedgerDigest {
        let mut assets = BTreeSet::new();
        let mut hash = Sha256::new();
        for entry in entries {
            hash.update(entry.hash);
            assets.extend(entry.assets());
        }
        LedgerDigest {
            hash: hash.finalize().into(),
            assets: assets.into_iter().collect(),
        }
    }
}

/// The hash of one portfolio's input, and the assets that it names.
pub(super) fn portfolio(
    row: &PortfolioRow,
    ledger: &LedgerDigest,
    shared: &Revisions,
    as_of: Date,
) -> (String, BTreeSet<i64>) {
    let named = ledger.assets.iter().copied();
    let assets: BTreeSet<i64> = named.chain(row.benchmark_asset_id).collect();
    let mut hash = Sha256::new();
    let mut text = format!(
        "{FORMULAS}|{as_of}|{row:?}|{}|{}\n",
        shared.shorts, shared.rates
    );
    hash.update(text.as_bytes());
    hash.update(ledger.hash);
    text.clear();
    for asset in &assets {
        let revision = shared.assets.get(asset).map_or("", String::as_str);
        writeln!(text, "{asset}|{revision}").expect(WRITES);
    }
    hash.update(text.as_bytes());
    (hex::encode(hash.finalize()), assets)
}

/// The hash of the rates of a table until a day.
pub(super) fn rates(table: &RateTable, until: Date) -> String {
    let mut hash = Sha256::new();
    let mut text = String::new();
    for (currency, date, rate) in table.iter().filter(|(_, date, _)| *date <= until) {
        writeln!(text, "{currency}{date}{rate}").expect(WRITES);
        hash.update(text.as_bytes());
        text.clear();
    }
    hex::encode(hash.finalize())
}

/// The hash of several hashes.
pub(super) fn joined<'h>(hashes: impl Iterator<Item = &'h str>) -> String {
    let mut hash = Sha256::new();
    for part in hashes {
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

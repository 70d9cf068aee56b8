//! Input hashes: SHA-256 over everything that a result depends on.
//!
//! Ledgers enter by the hashes of their rows, settings in the form that `Debug` gives them: a changed field changes the hash,
//! and a changed form only makes results be computed once more.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::by_id::ById;
use crate::fx::RateTable;
use crate::store::{PortfolioRow, StoredEntry};

/// Changes whenever a formula or the stored form of results changes, so that old results are not taken for current ones.
pub(super) const FORMULAS: &str = "7";

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
    /// Whose counts these are: another database may have come to the same ones otherwise.
    pub(super) installation: i64,
    /// How often facts, prices and actions were written, by asset id.
    pub(super) assets: ById<i64>,
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
) -> (String, Vec<i64>) {
    let mut assets = ledger.assets.clone();
    if let Some(benchmark) = row.benchmark_asset_id
        && let Err(place) = assets.binary_search(&benchmark)
    {
        assets.insert(place, benchmark);
    }
    let text = format!(
        "{FORMULAS}|{}|{as_of}|{row:?}|{}|{}\n",
        shared.installation, shared.shorts, shared.rates
    );
    let mut hashed = text.into_bytes();
    hashed.reserve(ledger.hash.len() + assets.len() * 16);
    hashed.extend(ledger.hash);
    for asset in &assets {
        let count = shared.assets.get(asset).copied().unwrap_or_default();
        hashed.extend(asset.to_le_bytes());
        hashed.extend(count.to_le_bytes());
    }
    (hex::encode(Sha256::digest(&hashed)), assets)
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

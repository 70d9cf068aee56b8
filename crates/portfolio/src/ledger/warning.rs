//! What is odd about a ledger without stopping it.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde::Serialize;

use super::entry::{AccountId, Entry};
use crate::decimal::Decimal;

/// A warning about a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Warning {
    /// A second row with an external id that was seen; it is not applied.
    DuplicateIgnored {
        /// The row that is ignored.
        transaction: i64,
        /// The id that repeats.
        external_id: String,
    },
    /// Rows that look the same; all are applied.
    PossibleDuplicate {
        /// The rows.
        transactions: Vec<i64>,
    },
    /// A dividend was due and no row records it.
    ExpectedDividend {
        /// The account that held the asset.
        account: i64,
        /// The asset.
        symbol: String,
        /// The dividend's ex-date.
        ex_date: Date,
        /// What was due.
        amount: Decimal,
    },
}

/// Rows without repeats of an external id, and a warning for each repeat.
pub(super) fn without_repeats(entries: Vec<Entry>) -> (Vec<Entry>, Vec<Warning>) {
    let mut seen = HashSet::new();
    let mut warnings = Vec::new();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        match &entry.external_id {
            Some(id) if !seen.insert((entry.account, entry.source.clone(), id.clone())) => {
                warnings.push(Warning::DuplicateIgnored {
                    transaction: entry.id,
                    external_id: id.clone(),
                });
            }
            _ => kept.push(entry),
        }
    }
    (kept, warnings)
}

type Likeness<'a> = (
    AccountId,
    Date,
    &'a str,
    Option<usize>,
    [Option<Decimal>; 3],
);

fn likeness(entry: &Entry) -> Likeness<'_> {
    let asset = entry.asset.map(|asset| asset.0);
    (
        entry.account,
        entry.date,
        entry.kind.as_str(),
        asset,
        [entry.quantity, entry.price, entry.amount],
    )
}

/// One warning for each group of look-alikes, in the order of their first rows.
pub(super) fn look_alikes(entries: &[Entry]) -> Vec<Warning> {
    let mut groups: Vec<Vec<i64>> = Vec::new();
    let mut index: HashMap<Likeness<'_>, usize> = HashMap::new();
    for entry in entries {
        let group = *index.entry(likeness(entry)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(entry.id);
    }
    let twins = groups.into_iter().filter(|ids| ids.len() > 1);
    twins
        .map(|transactions| Warning::PossibleDuplicate { transactions })
        .collect()
}

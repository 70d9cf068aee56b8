//! What is odd about a ledger without stopping it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::entry::{AccountId, Entry};
use crate::decimal::Decimal;

/// A warning about a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub(super) fn without_repeats(entries: Arc<[Entry]>) -> (Arc<[Entry]>, Vec<Warning>) {
    let mut seen = HashSet::with_capacity(entries.len());
    let mut warnings = Vec::new();
    let mut kept = Vec::with_capacity(entries.len());
    for (row, entry) in entries.iter().enumerate() {
        match &entry.external_id {
            Some(id) if !seen.insert((entry.account, entry.source.as_str(), id.as_str())) => {
                warnings.push(Warning::DuplicateIgnored {
                    transaction: entry.id,
                    external_id: id.clone(),
                });
            }
            _ => kept.push(row),
        }
    }
    if warnings.is_empty() {
        return (entries, warnings);
    }
    let kept = kept.into_iter().map(|row| entries[row].clone());
    (kept.collect(), warnings)
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
    let near = |row: &usize| {
        let entry = &entries[*row];
        (entry.account, entry.date, entry.asset, *row)
    };
    let mut rows: Vec<usize> = (0..entries.len()).collect();
    rows.sort_unstable_by_key(near);
    let neighbours = rows.chunk_by(|a, b| {
        let ((account, date, asset, _), (other_account, other_date, other_asset, _)) =
            (near(a), near(b));
        (account, date, asset) == (other_account, other_date, other_asset)
    });
    let mut groups: Vec<Vec<usize>> = neighbours
        .filter(|rows| rows.len() > 1)
        .flat_map(|rows| groups_of(entries, rows))
        .collect();
    groups.sort_unstable();
    let ids = |rows: Vec<usize>| rows.into_iter().map(|row| entries[row].id).collect();
    groups
        .into_iter()
        .map(|rows| Warning::PossibleDuplicate {
            transactions: ids(rows),
        })
        .collect()
}

/// Those of some rows that are alike.
fn groups_of(entries: &[Entry], rows: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut index: HashMap<Likeness<'_>, usize> = HashMap::new();
    for row in rows {
        let group = *index.entry(likeness(&entries[*row])).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(*row);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

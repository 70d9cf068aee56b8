//! A user's portfolios as one: the rows of all their accounts, each once, in the user's base currency. So an account
//! that joins later brings its money as inflows.

use std::collections::{BTreeMap, BTreeSet};

use super::super::compute::{Job, JobLedger};
use super::super::load::Target;
use crate::ledger::{AccountId, Entry};
use crate::money::Currency;
use crate::store::PortfolioRow;

/// The joined portfolio's place among ids.
const NO_ID: i64 = 0;

/// The jobs joined; `None` when they book dividends in different ways, which one ledger cannot.
pub(super) fn join(jobs: &[&Job], base: Currency) -> Option<Job> {
    let first = jobs.first()?;
    if jobs
        .iter()
        .any(|job| job.target.row.income != first.target.row.income)
    {
        return None;
    }
    let entries: BTreeMap<i64, Entry> = jobs
        .iter()
        .flat_map(|job| job.entries().to_vec())
        .map(|entry| (entry.id, entry))
        .collect();
    let shorts: BTreeSet<AccountId> = first.shorts.clone();
    let row = &first.target.row;
    let latest = jobs.iter().map(|job| job.target.as_of).max()?;
    Some(Job {
        target: Target {
            row: PortfolioRow {
                id: NO_ID,
                name: String::new(),
                base_currency: base,
                ..row.clone()
            },
            calendar: first.target.calendar.clone(),
            as_of: latest,
            hash: String::new(),
        },
        ledger: JobLedger::Rows(entries.into_values().collect(), None),
        benchmark: first.benchmark,
        shorts,
    })
}

//! The result as callers see it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything was done.
    Success,
    /// Something was left out; see the errors.
    Partial,
    /// Another run is at it.
    Skipped,
    /// There was nothing to do.
    Empty,
}

/// Something wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// `portfolio`, `user` or `task`.
    pub scope: String,
    /// The item's id; none for the task.
    pub id: Option<i64>,
    /// A stable code.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A task's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// How it ended.
    pub status: Status,
    /// The task's registered name.
    pub task: String,
    /// The last day; of several the latest.
    pub as_of: Option<Date>,
    /// How long it took.
    pub duration_ms: u64,
    /// The task's own fields.
    pub data: T,
    /// What is odd.
    pub warnings: Vec<Issue>,
    /// What failed.
    pub errors: Vec<Issue>,
}

/// Net asset value and unrealised gain in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Net asset value.
    pub nav: Decimal,
    /// Unrealised gain.
    pub unrealised: Decimal,
}

/// A holding that made or cost much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopEntry {
    /// The portfolio.
    pub portfolio_id: i64,
    /// The asset.
    pub symbol: String,
    /// What it added to the time-weighted return since inception.
    pub contribution: f64,
}

/// The fields of a refresh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RefreshData {
    /// Active portfolios in scope.
    pub portfolios: usize,
    /// Those whose input has not changed.
    pub portfolios_skipped: usize,
    /// Those with an error.
    pub portfolios_failed: usize,
    /// Their owners.
    pub users: usize,
    /// Open positions.
    pub investments: usize,
    /// Rows of their ledgers.
    pub transactions: usize,
    /// Sums by base currency.
    pub totals: BTreeMap<String, Total>,
    /// The five largest positive contributions.
    pub top: Vec<TopEntry>,
    /// The five largest negative contributions.
    pub bottom: Vec<TopEntry>,
    /// Cache entries that are fresh now.
    pub cache_keys: usize,
    /// Why a run was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The task that holds the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

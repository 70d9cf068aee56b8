//! The result as callers see it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::error::{Error, Result};

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

/// What an item is known by: a row's id, or a name such as a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ItemId {
    /// A row's id.
    Row(i64),
    /// A name.
    Name(String),
}

impl From<i64> for ItemId {
    fn from(id: i64) -> ItemId {
        ItemId::Row(id)
    }
}

impl From<&str> for ItemId {
    fn from(name: &str) -> ItemId {
        ItemId::Name(name.to_owned())
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ItemId::Row(id) => id.fmt(f),
            ItemId::Name(name) => name.fmt(f),
        }
    }
}

/// Something wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// `portfolio`, `user` or `task`.
    pub scope: String,
    /// The item's id; none for the task.
    pub id: Option<ItemId>,
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

impl<T> Envelope<T> {
    /// The result of a run over `count` portfolios of which `failed` have an error: `empty` without any, `partial` with
    /// errors, else `success`.
    ///
    /// # Errors
    /// When every portfolio failed.
    pub(crate) fn of_portfolios(
        task: &str,
        count: usize,
        failed: usize,
        data: T,
        errors: Vec<Issue>,
    ) -> Result<Envelope<T>> {
        if let Some(first) = errors.first().filter(|_| failed == count && count > 0) {
            return Err(Error::EveryPortfolioFailed {
                count,
                id: first
                    .id
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                code: first.code.clone(),
                message: first.message.clone(),
            });
        }
        let status = match (count, errors.is_empty()) {
            (0, _) => Status::Empty,
            (_, true) => Status::Success,
            (_, false) => Status::Partial,
        };
        Ok(Envelope {
            errors,
            ..Envelope::new(task, status, data)
        })
    }

    /// A result without remarks; day and duration are the caller's.
    pub fn new(task: &str, status: Status, data: T) -> Envelope<T> {
        Envelope {
            status,
            task: task.to_owned(),
            as_of: None,
            duration_ms: 0,
            data,
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }
}

impl Issue {
    /// What a run that was told to stop has left undone.
    pub(crate) fn stopped(left: usize) -> Issue {
        Issue {
            scope: "task".to_owned(),
            id: None,
            code: "soft_time_limit".to_owned(),
            message: format!("stopped at the soft time limit with {left} portfolios left"),
        }
    }
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

//! What to compare, and what came of it.

use std::collections::BTreeMap;

use calendar::Calendars;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::reconcile::Tolerances;
use crate::store::BreakRow;

/// A request to compare one account with a statement.
#[derive(Clone, Debug)]
pub struct ReconcileRequest {
    /// The account.
    pub account_id: i64,
    /// Its owner; none asks for no owner.
    pub user_id: Option<i64>,
    /// The statement; none means the last one until `as_of`.
    pub statement_id: Option<i64>,
    /// The last day; none means the last completed session of the calendar of the account's portfolio.
    pub as_of: Option<Date>,
    /// How far apart the sides may be.
    pub tolerances: Tolerances,
    /// Who runs.
    pub task_id: String,
    /// Whose sessions count.
    pub calendars: Calendars,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl ReconcileRequest {
    /// An account with its last statement.
    pub fn new(account_id: i64) -> ReconcileRequest {
        ReconcileRequest {
            account_id,
            user_id: None,
            statement_id: None,
            as_of: None,
            tolerances: Tolerances::default(),
            task_id: String::new(),
            calendars: Calendars::embedded(),
            clock: Timestamp::now,
        }
    }
}

/// The fields of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReconcileData {
    /// The stored comparison.
    pub reconciliation_id: i64,
    /// The account.
    pub account_id: i64,
    /// The statement's day.
    pub as_of: Date,
    /// `matched`, `timing_only` or `breaks`.
    pub status: String,
    /// How many rows were compared.
    pub counts: serde_json::Value,
    /// How many matches each rule found.
    pub matches: BTreeMap<String, i64>,
    /// The gravest breaks; all of them are in the database.
    pub breaks: Vec<BreakRow>,
    /// Breaks that are new, or back again.
    pub opened: usize,
    /// Grave ones among them.
    pub opened_high: usize,
    /// Breaks that are gone.
    pub closed: usize,
    /// Breaks of the account that wait for a person, the new ones not among them.
    pub still_open: usize,
}

//! What to keep, and what came of it.

use std::collections::BTreeMap;

use calendar::{Calendar, Calendars};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::request::{RefreshRequest, not_in_the_future};
use crate::decimal::Decimal;
use crate::error::Result;

/// A session counts from this long after its close.
const AFTER_CLOSE: SignedDuration = SignedDuration::from_mins(30);

/// A request for snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotRequest {
    /// Only this user's portfolios; none means everybody's.
    pub user_id: Option<i64>,
    /// Only this portfolio; none means all active ones.
    pub portfolio_id: Option<i64>,
    /// The day; none means the last session of each portfolio's calendar whose close was half an hour ago.
    pub date: Option<Date>,
    /// True computes again what has not changed.
    pub force: bool,
    /// Whose sessions count.
    pub calendars: Calendars,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl Default for SnapshotRequest {
    fn default() -> SnapshotRequest {
        SnapshotRequest {
            user_id: None,
            portfolio_id: None,
            date: None,
            force: false,
            calendars: Calendars::embedded(),
            clock: Timestamp::now,
        }
    }
}

/// The fields of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SnapshotData {
    /// The day; of several calendars the latest.
    pub date: Option<Date>,
    /// Rows that are new.
    pub created: usize,
    /// Rows that were rewritten.
    pub updated: usize,
    /// Rows whose input has not changed.
    pub unchanged: usize,
    /// Portfolios with an error.
    pub failed: usize,
    /// Sums of net asset value by base currency.
    pub nav_total: BTreeMap<String, Decimal>,
}

impl SnapshotRequest {
    /// Checks the arguments before any work.
    pub(super) fn check(&self) -> Result<()> {
        not_in_the_future("snapshot_date", self.date, self.clock)
    }

    /// The day for the portfolios of a calendar.
    pub(super) fn day(&self, calendar: &Calendar) -> Date {
        let then = (self.clock)()
            .saturating_sub(AFTER_CLOSE)
            .unwrap_or(Timestamp::MIN);
        self.date.unwrap_or_else(|| calendar.last_completed(then))
    }

    /// Whose portfolios are meant.
    pub(super) fn scope(&self) -> RefreshRequest {
        RefreshRequest {
            user_id: self.user_id,
            portfolio_ids: self.portfolio_id.map(|id| vec![id]),
            calendars: self.calendars.clone(),
            clock: self.clock,
            ..RefreshRequest::new("")
        }
    }
}

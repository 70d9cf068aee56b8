//! What to refresh, and the rules for asking.

use calendar::{Calendar, Calendars};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Most ids that one request may name.
const MOST_IDS: usize = 100_000;

/// A request for fresh analytics.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// Only this user's portfolios; none means everybody's.
    pub user_id: Option<i64>,
    /// Only these portfolios; none means all active ones.
    pub portfolio_ids: Option<Vec<i64>>,
    /// The last day; none means the last completed session of each portfolio's calendar.
    pub as_of: Option<Date>,
    /// True computes again what has not changed.
    pub full: bool,
    /// Who runs: the task id.
    pub owner: String,
    /// How long the lock outlives its last renewal: the task's hard limit and 30 s.
    pub lease: SignedDuration,
    /// Whose sessions count.
    pub calendars: Calendars,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

/// Refuses a day that has begun nowhere.
pub(super) fn not_in_the_future(
    field: &'static str,
    day: Option<Date>,
    clock: fn() -> Timestamp,
) -> Result<()> {
    let today = clock().to_zoned(jiff::tz::TimeZone::UTC).date();
    let last = today.tomorrow().unwrap_or(Date::MAX);
    match day.filter(|day| *day > last) {
        None => Ok(()),
        Some(day) => Err(Error::InvalidArgument {
            field,
            value: day.to_string(),
            rule: "must not be in the future",
        }),
    }
}

impl RefreshRequest {
    /// Everything, for the task `owner`, with the task's own limits.
    pub fn new(owner: impl Into<String>) -> RefreshRequest {
        RefreshRequest {
            user_id: None,
            portfolio_ids: None,
            as_of: None,
            full: false,
            owner: owner.into(),
            lease: SignedDuration::from_secs(330),
            calendars: Calendars::embedded(),
            clock: Timestamp::now,
        }
    }

    /// Checks the arguments before any work.
    pub(super) fn check(&self) -> Result<()> {
        let invalid =
            |field, value: String, rule| Err(Error::InvalidArgument { field, value, rule });
        if let Some(user_id) = self.user_id.filter(|id| *id < 1) {
            return invalid("user_id", user_id.to_string(), "must be at least 1");
        }
        let ids = self.portfolio_ids.as_deref().unwrap_or_default();
        if ids.len() > MOST_IDS {
            return invalid(
                "portfolio_ids",
                format!("{} items", ids.len()),
                "must have at most 100000 items",
            );
        }
        if let Some(id) = ids.iter().find(|id| **id < 1) {
            return invalid("portfolio_ids", id.to_string(), "items must be at least 1");
        }
        not_in_the_future("as_of", self.as_of, self.clock)
    }

    /// The last day of the portfolios of a calendar.
    pub(super) fn day(&self, calendar: &Calendar) -> Date {
        let last_session = || calendar.last_completed((self.clock)());
        self.as_of.unwrap_or_else(last_session)
    }

    /// True when every user's portfolios are meant, so that overviews over all can be made.
    pub(super) fn is_global(&self) -> bool {
        self.user_id.is_none() && self.portfolio_ids.is_none()
    }

    /// The lock: one run at a time for each scope.
    pub(super) fn lock_key(&self) -> String {
        let scope = match (&self.portfolio_ids, self.user_id) {
            (Some(ids), _) => format!("portfolios:{}", id_digest(ids)),
            (None, Some(user_id)) => format!("user:{user_id}"),
            (None, None) => "all".to_owned(),
        };
        format!("analytics:{scope}")
    }
}

/// A short name for a set of ids.
fn id_digest(ids: &[i64]) -> String {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut hash = Sha256::new();
    for id in sorted {
        hash.update(id.to_be_bytes());
    }
    hex::encode(&hash.finalize()[..8])
}

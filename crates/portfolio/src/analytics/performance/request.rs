//! What is asked, and the answer.

use std::collections::BTreeMap;

use calendar::Calendars;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::super::period::Period;
use super::super::request::{RefreshRequest, not_in_the_future};
use crate::dates::plus_days;
use crate::error::{Error, Result};
use crate::figures::PeriodFigures;
use crate::gains::Gains;
use crate::money::Currency;

/// A request for figures.
#[derive(Clone, Debug)]
pub struct PerformanceRequest {
    /// Whose portfolios.
    pub user_id: i64,
    /// Only this one; none means all active ones, and all of them joined.
    pub portfolio_id: Option<i64>,
    /// The range opens so many days before its last day; `start` and `periods` come before it.
    pub days_back: i64,
    /// The symbol of an index or asset to compare with; none means each portfolio's own benchmark.
    pub benchmark: Option<String>,
    /// Named periods; none means one range.
    pub periods: Option<Vec<Period>>,
    /// The range's opening day, exclusive.
    pub start: Option<Date>,
    /// The last day; none means the last completed session of each portfolio's calendar.
    pub end: Option<Date>,
    /// Lengths of rolling windows, in sessions.
    pub rolling: Vec<usize>,
    /// Whose sessions count.
    pub calendars: Calendars,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

/// The figures of one period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedFigures {
    /// Such as `1y`; `range` for a range.
    pub period: String,
    /// All figures.
    pub figures: PeriodFigures,
    /// Where the profit came from.
    pub gains: Gains,
}

/// A ledger's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// The currency of all money.
    pub base_currency: Currency,
    /// The last day.
    pub to: Date,
    /// In the order asked for; empty when nothing has happened.
    pub periods: Vec<NamedFigures>,
    /// The age in days of the last price of positions, by symbol, where it is above a week.
    #[serde(default)]
    pub stale_prices: BTreeMap<String, i64>,
}

/// One portfolio's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortfolioPerformance {
    /// Its id.
    pub portfolio_id: i64,
    /// Its name.
    pub name: String,
    /// Its figures.
    pub performance: Performance,
}

/// The fields of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerformanceData {
    /// Whose portfolios.
    pub user_id: i64,
    /// The earliest opening day of all.
    pub from: Option<Date>,
    /// The latest last day.
    pub to: Option<Date>,
    /// In the order of their ids.
    pub portfolios: Vec<PortfolioPerformance>,
    /// All of them as one, in the user's base currency; only when no single one is asked for.
    pub combined: Option<Performance>,
}

impl PerformanceRequest {
    /// The last thirty days of a user's portfolios.
    pub fn new(user_id: i64) -> PerformanceRequest {
        PerformanceRequest {
            user_id,
            portfolio_id: None,
            days_back: 30,
            benchmark: None,
            periods: None,
            start: None,
            end: None,
            rolling: vec![63, 252],
            calendars: Calendars::embedded(),
            clock: Timestamp::now,
        }
    }

    /// Checks the arguments before any work.
    pub(super) fn check(&self) -> Result<()> {
        match (self.start, self.end) {
            (Some(start), Some(end)) if start > end => Err(Error::InvalidArgument {
                field: "start",
                value: start.to_string(),
                rule: "must not be after end",
            }),
            _ => not_in_the_future("end", self.end, self.clock),
        }
    }

    /// Whose portfolios are meant.
    pub(super) fn scope(&self) -> RefreshRequest {
        RefreshRequest {
            user_id: Some(self.user_id),
            portfolio_ids: self.portfolio_id.map(|id| vec![id]),
            as_of: self.end,
            calendars: self.calendars.clone(),
            clock: self.clock,
            ..RefreshRequest::new("")
        }
    }

    /// Names and opening days of the periods that end on a day.
    pub(super) fn openings(&self, to: Date) -> Vec<(&'static str, Date)> {
        let named = |period: &Period| (period.as_str(), period.start(to));
        match &self.periods {
            Some(periods) => periods.iter().map(named).collect(),
            None => {
                let opening = self.start.unwrap_or_else(|| plus_days(to, -self.days_back));
                vec![("range", opening)]
            }
        }
    }

    /// What tells two requests of one user apart, besides what they rest on.
    pub(super) fn text(&self) -> String {
        format!(
            "{:?}|{}|{:?}|{:?}|{:?}|{:?}|{:?}",
            self.portfolio_id,
            self.days_back,
            self.benchmark,
            self.periods,
            self.start,
            self.end,
            self.rolling
        )
    }
}

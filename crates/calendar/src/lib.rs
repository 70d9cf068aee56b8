//! Exchange calendars: which days are sessions and when they open and close. Nothing about prices or schedules.
//!
//! XNYS, XLON, XETR and XKLS are embedded (2000-01-03 to 2027-11-19); `24/7` trades every day. Beyond the table XNYS
//! follows its holiday rules and the others Monday to Friday; [`Calendar::covers`] tells, so that callers can warn.
//! Closures announced later are loaded with [`Calendar::with_exceptions`].

mod error;
mod library;
mod rules;
mod table;

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub use library::Calendars;

pub use error::{CalendarError, Result};

/// The calendar that is always open.
pub const ALWAYS: &str = "24/7";

/// A day that differs from Monday to Friday with regular hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// No session.
    Holiday,
    /// A session with these hours, also on a weekend.
    Hours(Time, Time),
}

/// One exchange's calendar.
#[derive(Clone, Debug)]
pub struct Calendar {
    mic: String,
    zone: TimeZone,
    open: Time,
    close: Time,
    exceptions: BTreeMap<Date, Exception>,
    always: bool,
}

/// Open and close of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The exchange's local date.
    pub date: Date,
    /// First instant of trading.
    pub open: Timestamp,
    /// Last instant of trading.
    pub close: Timestamp,
    /// True when the hours differ from the regular ones.
    pub special: bool,
}

impl Calendar {
    /// A calendar by its market identifier code, or `24/7`.
    pub fn named(mic: &str) -> Result<Calendar> {
        if mic == ALWAYS {
            return Ok(Calendar::always());
        }
        table::load(mic)
    }

    fn always() -> Calendar {
        Calendar {
            mic: ALWAYS.into(),
            zone: TimeZone::UTC,
            open: Time::MIN,
            close: Time::MAX,
            exceptions: BTreeMap::new(),
            always: true,
        }
    }

    /// Adds or replaces exceptions from CSV (`date,kind,open_local,close_local`), such as an unplanned closure.
    pub fn with_exceptions(mut self, csv: &str) -> Result<Calendar> {
        self.exceptions.extend(table::parse(&self.mic, csv)?);
        Ok(self)
    }

    /// The market identifier code.
    pub fn mic(&self) -> &str {
        &self.mic
    }

    /// The exchange's time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Periods a year for annualising daily figures: 252, or 365 when always open.
    pub fn periods_per_year(&self) -> f64 {
        if self.always { 365.0 } else { 252.0 }
    }

    /// False where only rules, not the table, speak.
    pub fn covers(&self, date: Date) -> bool {
        self.always || (table::FIRST <= date && date <= table::LAST)
    }

    /// True when the exchange trades on `date`.
    pub fn is_session(&self, date: Date) -> bool {
        if self.always {
            return true;
        }
        match self.exceptions.get(&date) {
            Some(exception) => *exception != Exception::Holiday,
            None if weekend(date) => false,
            None => !(date > table::LAST && self.mic == "XNYS" && rules::xnys_holiday(date)),
        }
    }

    /// Sessions in `(from, to]`.
    pub fn sessions(&self, from: Date, to: Date) -> Vec<Date> {
        let mut day = from;
        let mut found = Vec::new();
        while day < to {
            day = day.saturating_add(1.day());
            if self.is_session(day) {
                found.push(day);
            }
        }
        found
    }

    /// Hours of the session on `date`; `None` on other days.
    pub fn session(&self, date: Date) -> Option<Session> {
        if !self.is_session(date) {
            return None;
        }
        let (open, close, special) = match self.exceptions.get(&date) {
            Some(Exception::Hours(open, close)) => (*open, *close, true),
            _ => (self.open, self.close, false),
        };
        Some(Session {
            date,
            open: self.instant(date, open)?,
            close: self.instant(date, close)?,
            special,
        })
    }

    /// The last session whose close has passed at `now`.
    pub fn last_completed(&self, now: Timestamp) -> Date {
        let mut day = now.to_zoned(self.zone.clone()).date();
        while self.session(day).is_none_or(|session| session.close > now) && day > Date::MIN {
            day = day.saturating_sub(1.day());
        }
        day
    }

    /// The first session that opens after `now`, looking ahead for at most a month.
    pub fn next_open(&self, now: Timestamp) -> Option<Session> {
        let today = now.to_zoned(self.zone.clone()).date();
        (0..=31).find_map(|days| {
            self.session(today.saturating_add(days.days()))
                .filter(|session| session.open > now)
        })
    }

    fn instant(&self, date: Date, time: Time) -> Option<Timestamp> {
        self.zone.to_timestamp(date.to_datetime(time)).ok()
    }
}

fn weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The error for an unknown name, listing those that exist.
fn unknown(mic: &str) -> CalendarError {
    CalendarError::Unknown(mic.to_owned())
}

#[cfg(test)]
mod tests;

//! Expressions of the `cron` crate: six or seven fields with seconds first, weekdays 1 (Sunday) to 7.
//!
//! The crate is asked in wall-clock time labelled as UTC, because its own handling of clock changes skips and doubles
//! runs; its answers are read by this module's one rule. In the repeated hour a pattern runs once, not twice.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime as ChronoDateTime, Datelike, NaiveDate, Timelike, Utc};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::zone::occurrence_after;
use crate::error::ScheduleError;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct CronExpr {
    /// Apart, so that entries of other kinds are not as large.
    schedule: Box<cron::Schedule>,
}

impl CronExpr {
    /// Parses an expression such as `0 30 9 * * MON-FRI`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn new(text: &str) -> Result<Self, ScheduleError> {
        let schedule = cron::Schedule::from_str(text).map_err(|source| ScheduleError::Cron {
            text: text.to_owned(),
            source: Box::new(source),
        })?;
        Ok(Self {
            schedule: Box::new(schedule),
        })
    }

    /// The first run after `last`.
    pub fn next_after(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let wall = to_chrono(zone.to_datetime(last))?;
        let mut walls = self.schedule.after(&wall);
        walls.find_map(|wall| occurrence_after(zone, from_chrono(wall)?, last))
    }
}

impl fmt::Display for CronExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.schedule.source())
    }
}

/// Both libraries count the same calendar, so fields that are in bounds here are in bounds there.
fn to_chrono(wall: DateTime) -> Option<ChronoDateTime<Utc>> {
    let date = NaiveDate::from_ymd_opt(
        i32::from(wall.year()),
        wall.month() as u32,
        wall.day() as u32,
    )?;
    let (hour, minute, second) = (
        wall.hour() as u32,
        wall.minute() as u32,
        wall.second() as u32,
    );
    Some(date.and_hms_opt(hour, minute, second)?.and_utc())
}

fn from_chrono(wall: ChronoDateTime<Utc>) -> Option<DateTime> {
    let field = |number: u32| i8::try_from(number).ok();
    let year = i16::try_from(wall.year()).ok()?;
    let (month, day) = (field(wall.month())?, field(wall.day())?);
    DateTime::new(
        year,
        month,
        day,
        field(wall.hour())?,
        field(wall.minute())?,
        field(wall.second())?,
        0,
    )
    .ok()
}

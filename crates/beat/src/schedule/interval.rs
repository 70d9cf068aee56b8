//! Every so often: Celery's `schedule(run_every, relative)`.

use std::fmt;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::zone::occurrences;
use crate::error::ScheduleError;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An interval of real time, or with `relative` rounded down to whole minutes, hours or days of the wall clock,
/// whichever is the largest that fits in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    every: SignedDuration,
    relative: bool,
}

impl Interval {
    /// How long it is from run to run.
    pub fn every(&self) -> SignedDuration {
        self.every
    }

    /// Whether runs lie on whole units of the wall clock.
    pub fn is_relative(&self) -> bool {
        self.relative
    }

    /// The shortest interval that is accepted.
    pub const SHORTEST: SignedDuration = SignedDuration::from_millis(1);

    /// An interval.
    ///
    /// # Errors
    /// When it is shorter than [`Interval::SHORTEST`].
    pub fn new(every: SignedDuration, relative: bool) -> Result<Self, ScheduleError> {
        if every < Self::SHORTEST {
            return Err(ScheduleError::TooShort { every });
        }
        Ok(Self { every, relative })
    }

    /// The first run after `last`.
    pub fn next_after(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let end = last.checked_add(self.every).ok()?;
        match self.relative {
            false => Some(end),
            true if self.every >= DAY => self.midnight_after(last, zone),
            true => Some(self.rounded(last, end, zone)),
        }
    }

    /// How long it is until the next look when a run is due now.
    pub(super) fn next_when_due(&self, now: Timestamp, zone: &TimeZone) -> SignedDuration {
        let next = if self.relative {
            self.next_after(now, zone)
        } else {
            None
        };
        next.map_or(self.every, |next| next.duration_since(now))
    }

    /// The latest run up to `now`, if the one at `first` is due, and how many runs lie before it. Only for
    /// intervals that are not relative, whose runs lie on an even grid.
    pub(crate) fn latest_on_grid(
        &self,
        first: Timestamp,
        now: Timestamp,
    ) -> Option<(Timestamp, u64)> {
        if self.relative {
            return None;
        }
        let behind = now.duration_since(first).as_nanos() / self.every.as_nanos();
        let steps = u64::try_from(behind).ok()?;
        let offset = i64::try_from(behind * self.every.as_nanos()).ok()?;
        Some((
            first.checked_add(SignedDuration::from_nanos(offset)).ok()?,
            steps,
        ))
    }

    /// Whole days later on the calendar, at midnight; a repeated midnight counts twice.
    fn midnight_after(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let end = zone.to_datetime(last).checked_add(self.every).ok()?;
        let later = occurrences(zone, self.round(end))
            .filter(|midnight| *midnight > last)
            .min();
        later.or_else(|| occurrences(zone, end).find(|end| *end > last))
    }

    /// The last whole minute or hour up to the end, or the next one when that is not after the last run.
    fn rounded(&self, last: Timestamp, end: Timestamp, zone: &TimeZone) -> Timestamp {
        let wall = zone.to_datetime(end);
        let mut candidates: Vec<Timestamp> = occurrences(zone, self.round(wall)).collect();
        let before_end = candidates.iter().copied().filter(|at| *at <= end).max();
        let rounded = before_end
            .or_else(|| candidates.iter().copied().min())
            .unwrap_or(end);
        if rounded > last {
            return rounded;
        }
        if self.every < MINUTE {
            return end;
        }
        // Clocks that were put back by less than an hour can put the boundary before the last run.
        let unit = if self.every >= HOUR { HOUR } else { MINUTE };
        let calendar = zone.to_datetime(last).saturating_add(self.every);
        for wall in [wall.saturating_add(unit), calendar] {
            candidates.extend(occurrences(zone, self.round(wall)));
        }
        candidates.retain(|at| *at > last);
        let before_end = candidates.iter().copied().filter(|at| *at <= end).max();
        before_end
            .or_else(|| candidates.into_iter().min())
            .unwrap_or(end)
    }

    /// Rounded down to the unit; below a minute to whole seconds.
    fn round(&self, wall: DateTime) -> DateTime {
        let (hour, minute, second) = (wall.hour(), wall.minute(), wall.second());
        let time = match self.every {
            every if every >= DAY => Time::midnight(),
            every if every >= HOUR => Time::constant(hour, 0, 0, 0),
            every if every >= MINUTE => Time::constant(hour, minute, 0, 0),
            _ => Time::constant(hour, minute, second, 0),
        };
        wall.date().to_datetime(time)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {:#}", self.every)?;
        if self.relative {
            f.write_str(", relative")
        } else {
            Ok(())
        }
    }
}

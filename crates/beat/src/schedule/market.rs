//! By an exchange's sessions: once a session, or every so often within one. Holidays have no slots, half days end early.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use calendar::{Calendar, Calendars, Session};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::error::ScheduleError;

/// An exchange is never closed for longer than this.
const SEARCH_DAYS: i64 = 40;
/// A mark may lie this far from the session's open or close, so a slot at most two days after the session's date.
const FARTHEST: i64 = 24 * 60;
const MARKS: &str = "HH:MM, open or close, with +minutes or -minutes (at most a day)";

/// When entries run on an exchange's sessions.
#[derive(Clone, Debug)]
pub struct Market {
    calendar: Arc<Calendar>,
    start: Mark,
    window: Option<Window>,
}

/// Repeated until a mark, which is still a slot when the steps meet it.
#[derive(Clone, Copy, Debug)]
struct Window {
    end: Mark,
    every: SignedDuration,
}

/// A time of a session: by the clock, or by the session's open or close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    anchor: Anchor,
    minutes: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    Clock(Time),
    Open,
    Close,
}

impl Market {
    /// Once in each session of the calendar (`XNYS`, …).
    ///
    /// # Errors
    /// When there is no such calendar.
    pub fn at(calendar: &str, at: Mark) -> Result<Self, ScheduleError> {
        Ok(Self {
            calendar: Arc::new(Calendars::from_env().get(calendar)?),
            start: at,
            window: None,
        })
    }

    /// From `start` to `end` of each session, every so often.
    ///
    /// # Errors
    /// When there is no such calendar, or the step is shorter than a second.
    pub fn every(
        calendar: &str,
        start: Mark,
        end: Mark,
        every: SignedDuration,
    ) -> Result<Self, ScheduleError> {
        if every < SignedDuration::from_secs(1) {
            return Err(ScheduleError::TooShort { every });
        }
        let window = Some(Window { end, every });
        Ok(Self {
            window,
            ..Self::at(calendar, start)?
        })
    }

    /// The exchange's own zone, where marks by the clock hang unless the entry says otherwise.
    pub fn zone_name(&self) -> &str {
        self.calendar.zone().iana_name().unwrap_or("UTC")
    }

    /// The first slot after `last`.
    pub fn next_after(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let first = self.calendar.zone().to_datetime(last).date();
        (-2..SEARCH_DAYS)
            .find_map(|days| self.slot(first.checked_add(days.days()).ok()?, last, zone))
    }

    /// The first slot after `last` of the session on this date.
    fn slot(&self, date: Date, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let session = self.calendar.session(date)?;
        let start = self.start.instant(&session, zone)?;
        if start > last {
            return Some(start);
        }
        let Window { end, every } = self.window?;
        let passed = last.duration_since(start).as_nanos() / every.as_nanos() + 1;
        let offset = i64::try_from(passed * every.as_nanos()).ok()?;
        let slot = start.checked_add(SignedDuration::from_nanos(offset)).ok()?;
        (slot <= end.instant(&session, zone)?).then_some(slot)
    }
}

impl Mark {
    fn instant(&self, session: &Session, zone: &TimeZone) -> Option<Timestamp> {
        let anchor = match self.anchor {
            Anchor::Clock(time) => zone.to_timestamp(session.date.to_datetime(time)).ok()?,
            Anchor::Open => session.open,
            Anchor::Close => session.close,
        };
        anchor.checked_add(self.minutes.minutes()).ok()
    }
}

impl FromStr for Mark {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let refused = || ScheduleError::Form {
            expected: MARKS,
            found: format!("{text:?}"),
        };
        let (anchor, offset) = text.split_at(text.find(['+', '-']).unwrap_or(text.len()));
        let anchor = match anchor.trim() {
            "open" => Anchor::Open,
            "close" => Anchor::Close,
            clock => Anchor::Clock(Time::strptime("%H:%M", clock).map_err(|_| refused())?),
        };
        let minutes = if offset.is_empty() {
            0
        } else {
            offset.trim().parse().map_err(|_| refused())?
        };
        if !(-FARTHEST..=FARTHEST).contains(&minutes) {
            return Err(refused());
        }
        Ok(Self { anchor, minutes })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.anchor {
            Anchor::Clock(time) => write!(f, "{:02}:{:02}", time.hour(), time.minute())?,
            Anchor::Open => f.write_str("open")?,
            Anchor::Close => f.write_str("close")?,
        }
        match self.minutes {
            0 => Ok(()),
            minutes => write!(f, "{minutes:+}"),
        }
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mic, start) = (self.calendar.mic(), self.start);
        match &self.window {
            None => write!(f, "{mic} sessions at {start}"),
            Some(Window { end, every }) => {
                write!(f, "{mic} sessions from {start} to {end}, every {every:#}")
            }
        }
    }
}

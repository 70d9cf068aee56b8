//! When an entry runs: the kinds of schedule, one file each, as pure functions of time and zone.
//!
//! The rule for clock changes, the same for all kinds that go by the wall clock: **times that the clocks skip run once, the first of them as
//! much later as they skip (02:30 runs at 03:30), and a time that they repeat runs when it comes first; only after a
//! last run later than that does it run at its second coming.** The last half is where Celery fires in a loop.

mod clocked;
mod cron_expr;
mod crontab;
mod crontab_field;
mod interval;
mod market;
mod solar;
mod sun;
mod zone;

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use clocked::Clocked;
pub use cron_expr::CronExpr;
pub use crontab::{Crontab, CrontabSpec};
pub use crontab_field::{Field, FieldError, FieldSet};
pub use interval::Interval;
pub use market::{Mark, Market};
pub use solar::{Solar, SolarEvent};
pub use zone::find_zone;

/// When an entry runs.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Celery's crontab.
    Crontab(Crontab),
    /// Every so often.
    Interval(Interval),
    /// A `cron` expression with seconds.
    Cron(CronExpr),
    /// The sessions of an exchange.
    Market(Market),
    /// An event of the sun.
    Solar(Solar),
    /// Once.
    Clocked(Clocked),
}

/// Whether an entry runs now, and when to look again: Celery's `schedstate` and `remaining_estimate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whether it runs now.
    pub is_due: bool,
    /// How long until the next look; `None` when it never runs again. It may be zero in the repeated hour, where only the look
    /// after that tells the next run.
    pub next: Option<SignedDuration>,
    /// How long it is until the run that follows the last one; negative when that is late.
    pub remaining: SignedDuration,
}

impl Schedule {
    /// The first run after `last`; `None` when there is none before the end of the calendar. Always later than `last`.
    pub fn next_after(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Crontab(crontab) => crontab.next_after(last, zone),
            Self::Interval(interval) => interval.next_after(last, zone),
            Self::Cron(cron) => cron.next_after(last, zone),
            Self::Market(market) => market.next_after(last, zone),
            Self::Solar(solar) => solar.next_after(last),
            Self::Clocked(clocked) => clocked.next_after(last),
        }
    }

    /// Whether it is due at `now` after a last run; `deadline` is `beat_cron_starting_deadline`: a crontab whose latest
    /// missed run is older is not caught up. `None` when it never runs again.
    pub fn is_due(
        &self,
        last: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
        deadline: Option<Duration>,
    ) -> Option<Due> {
        let remaining = self.next_after(last, zone)?.duration_since(now);
        let late = remaining <= SignedDuration::ZERO;
        if !late {
            return Some(Due {
                is_due: false,
                next: Some(remaining),
                remaining,
            });
        }
        let next = match self {
            Self::Interval(interval) => Some(interval.next_when_due(now, zone)),
            Self::Crontab(crontab) => crontab.look_again(now, zone),
            other => other
                .next_after(now, zone)
                .map(|next| next.duration_since(now)),
        };
        Some(Due {
            is_due: !self.is_stale(remaining, now, zone, deadline),
            next,
            remaining,
        })
    }

    /// Whether no run lies between the deadline and now, though one is late.
    fn is_stale(
        &self,
        remaining: SignedDuration,
        now: Timestamp,
        zone: &TimeZone,
        deadline: Option<Duration>,
    ) -> bool {
        let (Self::Crontab(crontab), Some(deadline)) = (self, deadline) else {
            return false;
        };
        // A microsecond more, so that a run exactly at the deadline counts, as in Celery.
        let since = now
            .checked_sub(deadline + Duration::from_micros(1))
            .unwrap_or(Timestamp::MIN);
        remaining.is_negative()
            && crontab
                .next_after(since, zone)
                .is_none_or(|next| next > now)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crontab(crontab) => crontab.fmt(f),
            Self::Interval(interval) => interval.fmt(f),
            Self::Cron(cron) => cron.fmt(f),
            Self::Market(market) => market.fmt(f),
            Self::Solar(solar) => solar.fmt(f),
            Self::Clocked(clocked) => clocked.fmt(f),
        }
    }
}

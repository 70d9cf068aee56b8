//! One question about one schedule, outside any settings: is it due, and when is the next look.

use std::time::Duration;

use jiff::Timestamp;
use protocol::Value;
use serde::Deserialize;

use crate::ScheduleError;
use crate::file::Timing;
use crate::schedule::{Due, find_zone};

/// A schedule with a last run, asked at a time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The schedule in any form that the settings take.
    spec: Value,
    /// The zone, unless the schedule names one.
    #[serde(default)]
    tz: Option<String>,
    last_run_at: Timestamp,
    now: Timestamp,
    /// `beat_cron_starting_deadline`, in seconds.
    #[serde(default)]
    deadline: Option<f64>,
}

impl Question {
    /// As Celery's `is_due` answers; `None` when it never runs again.
    ///
    /// # Errors
    /// When schedule, zone or deadline cannot be understood.
    pub fn answer(&self) -> Result<Option<Due>, ScheduleError> {
        let timing = Timing::read(&self.spec, false)?;
        let name = timing.timezone.as_deref().or(self.tz.as_deref());
        let zone = find_zone(name.unwrap_or("UTC")).map_err(|error| ScheduleError::Form {
            expected: "the name of a time zone",
            found: error.to_string(),
        })?;
        let deadline = self.deadline.map(seconds).transpose()?;
        Ok(timing
            .schedule
            .is_due(self.last_run_at, self.now, &zone, deadline))
    }
}

fn seconds(deadline: f64) -> Result<Duration, ScheduleError> {
    Duration::try_from_secs_f64(deadline).map_err(|_| ScheduleError::Form {
        expected: "a deadline of at least 0 seconds",
        found: deadline.to_string(),
    })
}

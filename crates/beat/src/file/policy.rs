//! An entry's `policy` table.

use std::time::Duration;

use jiff::Timestamp;
use protocol::Value;
use serde::Deserialize;

use super::timing::duration;
use crate::{Misfire, Overlap, Policy, ScheduleError};

/// The decisions as they are written: times as seconds or texts such as `1h 30m`, instants with their offset.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPolicy {
    misfire: Misfire,
    misfire_window: Option<Value>,
    overlap: Overlap,
    overlap_limit: Option<Value>,
    jitter: Option<Value>,
    start_time: Option<String>,
    end_time: Option<String>,
    max_runs: Option<u64>,
    catch_up: bool,
}

impl RawPolicy {
    pub(super) fn read(self) -> Result<Policy, ScheduleError> {
        Ok(Policy {
            misfire: self.misfire,
            misfire_window: span(self.misfire_window.as_ref())?,
            overlap: self.overlap,
            overlap_limit: span(self.overlap_limit.as_ref())?,
            jitter: span(self.jitter.as_ref())?.unwrap_or_default(),
            start: time(self.start_time.as_deref())?,
            end: time(self.end_time.as_deref())?,
            max_runs: self.max_runs,
            catch_up: self.catch_up,
        })
    }
}

fn span(text: Option<&Value>) -> Result<Option<Duration>, ScheduleError> {
    let Some(text) = text.filter(|text| !text.is_null()) else {
        return Ok(None);
    };
    let span = duration(text)?;
    Duration::try_from(span)
        .map(Some)
        .map_err(|_| ScheduleError::Form {
            expected: "a time of at least 0",
            found: span.to_string(),
        })
}

fn time(text: Option<&str>) -> Result<Option<Timestamp>, ScheduleError> {
    let parse = |text: &str| {
        text.parse().map_err(|_| ScheduleError::Form {
            expected: "a time with its offset, such as 2026-12-24T18:00:00Z",
            found: format!("{text:?}"),
        })
    };
    text.map(parse).transpose()
}

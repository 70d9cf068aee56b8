//! Entries as they are written down.

use std::time::Duration;

use client::{CallOptions, Expires};
use protocol::{Map, Value};
use serde::Deserialize;

use super::policy::RawPolicy;
use crate::ScheduleError;

/// One entry, in Celery's names; `enabled`, `timezone` and the policy are ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntry {
    pub(super) task: String,
    pub(super) schedule: Value,
    #[serde(default)]
    pub(super) args: Vec<Value>,
    #[serde(default)]
    pub(super) kwargs: Value,
    #[serde(default)]
    pub(super) options: RawOptions,
    #[serde(default)]
    pub(super) relative: bool,
    #[serde(default = "enabled")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) timezone: Option<String>,
    #[serde(default)]
    pub(super) policy: RawPolicy,
}

fn enabled() -> bool {
    true
}

/// What `apply_async` is given, as far as it makes sense in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOptions {
    queue: Option<String>,
    exchange: Option<String>,
    routing_key: Option<String>,
    priority: Option<u8>,
    /// Seconds after sending, or a time with its offset.
    expires: Option<Value>,
    /// Seconds after sending.
    countdown: Option<f64>,
    headers: Option<Value>,
    ignore_result: Option<bool>,
    time_limit: Option<f64>,
    soft_time_limit: Option<f64>,
    shadow: Option<String>,
}

impl RawOptions {
    pub(super) fn read(self) -> Result<CallOptions, ScheduleError> {
        let headers = match self.headers {
            None => Map::new(),
            Some(Value::Map(headers)) => headers,
            Some(other) => return Err(form("headers as a table", other.type_name())),
        };
        if self.priority.is_some_and(|priority| priority > 9) {
            return Err(form("a priority of 0 to 9", "a larger one"));
        }
        Ok(CallOptions {
            queue: self.queue,
            exchange: self.exchange,
            routing_key: self.routing_key,
            priority: self.priority,
            expires: self.expires.map(expires).transpose()?,
            countdown: self.countdown.map(seconds).transpose()?,
            headers,
            ignore_result: self.ignore_result,
            time_limit: self.time_limit,
            soft_time_limit: self.soft_time_limit,
            shadow: self.shadow,
            ..CallOptions::default()
        })
    }
}

fn expires(expires: Value) -> Result<Expires, ScheduleError> {
    const FORMS: &str = "seconds, or a time with its offset such as 2026-12-24T18:00:00Z";
    if let Value::Str(text) = &expires {
        let at = text.parse().map_err(|_| form(FORMS, text))?;
        return Ok(Expires::At(at));
    }
    let number = expires.as_f64();
    let number = number.ok_or_else(|| form(FORMS, expires.type_name()))?;
    seconds(number).map(Expires::After)
}

fn seconds(seconds: f64) -> Result<Duration, ScheduleError> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| form("seconds of at least 0", &seconds.to_string()))
}

fn form(expected: &'static str, found: &str) -> ScheduleError {
    ScheduleError::Form {
        expected,
        found: found.to_owned(),
    }
}

//! The forms in which a schedule can be written.
//!
//! | form                                            | kind                                         |
//! |-------------------------------------------------|----------------------------------------------|
//! | `"*/5 * * * *"`                                 | crontab                                      |
//! | `{crontab = "0 4 * * *"}`                       | crontab                                      |
//! | `{crontab = {minute = 0, hour = "*/2"}}`        | crontab by fields; texts, numbers or lists   |
//! | `30.0`, `{every = 30}`, `{every = "1h 30m"}`    | interval, `relative = true` as in Celery     |
//! | `{cron = "0 30 9 * * MON-FRI"}`                 | expression of the `cron` crate               |

use jiff::SignedDuration;
use protocol::{Value, from_value};
use serde::Deserialize;

use crate::ScheduleError;
use crate::schedule::{CronExpr, Crontab, CrontabSpec, Interval, Schedule};

const FORMS: &str =
    "a crontab line of five fields, seconds, or a table with one of crontab, every and cron";
const FIELD_FORMS: &str = "a text, a whole number or a list of whole numbers";

/// A schedule, and the zone if it names one.
#[derive(Debug)]
pub(super) struct Timing {
    pub(super) schedule: Schedule,
    pub(super) timezone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTiming {
    crontab: Option<Value>,
    every: Option<Value>,
    cron: Option<String>,
    relative: Option<bool>,
    timezone: Option<String>,
}

/// Celery's crontab fields, each optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawCrontab {
    minute: Option<Value>,
    hour: Option<Value>,
    day_of_week: Option<Value>,
    day_of_month: Option<Value>,
    month_of_year: Option<Value>,
}

impl Timing {
    /// Reads any of the forms; `relative` is the entry's own.
    pub(super) fn read(value: &Value, relative: bool) -> Result<Self, ScheduleError> {
        let schedule = match value {
            Value::Map(_) => return Self::read_table(value, relative),
            Value::Str(line) => crontab_line(line)?,
            seconds => every(seconds, relative)?,
        };
        Ok(Self {
            schedule,
            timezone: None,
        })
    }

    fn read_table(value: &Value, relative: bool) -> Result<Self, ScheduleError> {
        let raw: RawTiming =
            from_value(value.clone()).map_err(|error| form(FORMS, &error.to_string()))?;
        let schedule = match (raw.crontab, raw.every, raw.cron) {
            (Some(Value::Str(line)), None, None) => crontab_line(&line)?,
            (Some(fields), None, None) => crontab_fields(fields)?,
            (None, Some(time), None) => every(&time, raw.relative.unwrap_or(relative))?,
            (None, None, Some(text)) => Schedule::Cron(CronExpr::new(&text)?),
            _ => return Err(form(FORMS, "none or several of these")),
        };
        Ok(Self {
            schedule,
            timezone: raw.timezone,
        })
    }
}

fn crontab_line(line: &str) -> Result<Schedule, ScheduleError> {
    let spec = CrontabSpec::from_line(line).ok_or_else(|| form(FORMS, &format!("{line:?}")))?;
    Crontab::new(spec).map(Schedule::Crontab)
}

fn crontab_fields(fields: Value) -> Result<Schedule, ScheduleError> {
    let raw: RawCrontab =
        from_value(fields).map_err(|error| form("crontab fields", &error.to_string()))?;
    let spec = CrontabSpec {
        minute: field(raw.minute)?,
        hour: field(raw.hour)?,
        day_of_week: field(raw.day_of_week)?,
        day_of_month: field(raw.day_of_month)?,
        month_of_year: field(raw.month_of_year)?,
    };
    Crontab::new(spec).map(Schedule::Crontab)
}

/// A field's text; numbers and lists are written as such.
fn field(value: Option<Value>) -> Result<String, ScheduleError> {
    match value {
        None | Some(Value::Null) => Ok("*".to_owned()),
        Some(Value::Str(text)) => Ok(text),
        Some(Value::Int(number)) => Ok(number.to_string()),
        Some(Value::List(numbers)) => {
            let texts: Option<Vec<String>> = numbers
                .iter()
                .map(|number| number.as_i64().map(|number| number.to_string()))
                .collect();
            texts
                .map(|texts| texts.join(","))
                .ok_or_else(|| form(FIELD_FORMS, "another list"))
        }
        Some(other) => Err(form(FIELD_FORMS, other.type_name())),
    }
}

fn every(time: &Value, relative: bool) -> Result<Schedule, ScheduleError> {
    let every = match time {
        Value::Str(text) => text
            .parse()
            .map_err(|error: jiff::Error| form("a time such as 1h 30m", &error.to_string())),
        number => {
            let seconds = number
                .as_f64()
                .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
            seconds.ok_or_else(|| form(FORMS, number.type_name()))
        }
    };
    Interval::new(every?, relative).map(Schedule::Interval)
}

fn form(expected: &'static str, found: &str) -> ScheduleError {
    ScheduleError::Form {
        expected,
        found: found.to_owned(),
    }
}

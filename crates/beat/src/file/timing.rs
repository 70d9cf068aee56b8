//! The forms in which a schedule can be written.
//!
//! | form                                            | kind                                         |
//! |-------------------------------------------------|----------------------------------------------|
//! | `"*/5 * * * *"`                                 | crontab                                      |
//! | `{crontab = "0 4 * * *"}`                       | crontab                                      |
//! | `{crontab = {minute = 0, hour = "*/2"}}`, or these fields alone | crontab by fields; texts, numbers or lists |
//! | `30.0`, `{every = 30}`, `{every = "1h 30m"}`    | interval, `relative = true` as in Celery     |
//! | `{cron = "0 30 9 * * MON-FRI"}`                 | expression of the `cron` crate               |
//! | `{market = "XNYS", at = "close+30"}`            | once in each session                         |
//! | `{market = "XNYS", start = "open", end = "close", every = "30m"}` | repeatedly in each session |
//! | `{solar = "sunset", latitude = 52.5, longitude = 13.4}` | an event of the sun                  |
//! | `{clocked = "2026-12-24T18:00:00Z"}`            | once                                         |

use jiff::SignedDuration;
use protocol::{Value, from_value};
use serde::Deserialize;

use crate::ScheduleError;
use crate::schedule::{Clocked, CronExpr, Crontab, CrontabSpec, Interval, Market, Schedule, Solar};

const FORMS: &str = "a crontab line of five fields, seconds, or a table with one of crontab, every, cron, market, solar and clocked";
const CRONTAB_FIELDS: [&str; 5] = [
    "minute",
    "hour",
    "day_of_week",
    "day_of_month",
    "month_of_year",
];
const FIELD_FORMS: &str = "a text, a whole number or a list of whole numbers";

/// A schedule, and the zone if it names one.
#[derive(Debug)]
pub(crate) struct Timing {
    pub(crate) schedule: Schedule,
    pub(crate) timezone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTiming {
    crontab: Option<Value>,
    every: Option<Value>,
    cron: Option<String>,
    market: Option<String>,
    solar: Option<String>,
    clocked: Option<String>,
    relative: Option<bool>,
    at: Option<String>,
    start: Option<String>,
    end: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
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
    pub(crate) fn read(value: &Value, relative: bool) -> Result<Self, ScheduleError> {
        let schedule = match value {
            Value::Map(map) if CRONTAB_FIELDS.iter().any(|field| map.contains_key(field)) => {
                crontab_fields(value.clone())?
            }
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
        let mut raw: RawTiming =
            from_value(value.clone()).map_err(|error| form(FORMS, &error.to_string()))?;
        let schedule = raw.take_schedule(relative)?;
        let timezone = raw.timezone.take();
        match raw.left_over() {
            None => Ok(Self { schedule, timezone }),
            Some(field) => Err(form("only what belongs to one kind of schedule", field)),
        }
    }
}

impl RawTiming {
    /// The kind that is named, with what belongs to it.
    fn take_schedule(&mut self, relative: bool) -> Result<Schedule, ScheduleError> {
        if let Some(mic) = self.market.take() {
            return self.take_market(&mic);
        }
        if let Some(event) = self.solar.take() {
            return self.take_solar(&event);
        }
        match (
            self.crontab.take(),
            self.every.take(),
            self.cron.take(),
            self.clocked.take(),
        ) {
            (Some(Value::Str(line)), None, None, None) => crontab_line(&line),
            (Some(fields), None, None, None) => crontab_fields(fields),
            (None, Some(time), None, None) => {
                every(&time, self.relative.take().unwrap_or(relative))
            }
            (None, None, Some(text), None) => Ok(Schedule::Cron(CronExpr::new(&text)?)),
            (None, None, None, Some(time)) => clocked(&time),
            _ => Err(form(FORMS, "none or several of these")),
        }
    }

    fn take_market(&mut self, mic: &str) -> Result<Schedule, ScheduleError> {
        let mark = |text: Option<String>| text.map(|text| text.parse()).transpose();
        let (at, start, end) = (
            mark(self.at.take())?,
            mark(self.start.take())?,
            mark(self.end.take())?,
        );
        let market = match (at, start, end, self.every.take()) {
            (Some(at), None, None, None) => Market::at(mic, at)?,
            (None, Some(start), Some(end), Some(time)) => {
                Market::every(mic, start, end, duration(&time)?)?
            }
            _ => {
                return Err(form(
                    "market with at, or with start, end and every",
                    "other fields",
                ));
            }
        };
        if self.timezone.is_none() {
            self.timezone = Some(market.zone_name().to_owned());
        }
        Ok(Schedule::Market(market))
    }

    fn take_solar(&mut self, event: &str) -> Result<Schedule, ScheduleError> {
        let (Some(latitude), Some(longitude)) = (self.latitude.take(), self.longitude.take())
        else {
            return Err(form("solar with latitude and longitude", "no place"));
        };
        Ok(Schedule::Solar(Solar::new(
            event.parse()?,
            latitude,
            longitude,
        )?))
    }

    /// A field that belongs to another kind of schedule.
    fn left_over(&self) -> Option<&'static str> {
        let fields = [
            (self.crontab.is_some(), "crontab"),
            (self.every.is_some(), "every"),
            (self.cron.is_some(), "cron"),
            (self.solar.is_some(), "solar"),
            (self.clocked.is_some(), "clocked"),
            (self.relative.is_some(), "relative"),
            (self.at.is_some(), "at"),
            (self.start.is_some(), "start"),
            (self.end.is_some(), "end"),
            (self.latitude.is_some(), "latitude"),
            (self.longitude.is_some(), "longitude"),
        ];
        fields
            .into_iter()
            .find_map(|(is_there, name)| is_there.then_some(name))
    }
}

fn clocked(time: &str) -> Result<Schedule, ScheduleError> {
    let at = time.parse().map_err(|_| {
        form(
            "a time with its offset, such as 2026-12-24T18:00:00Z",
            &format!("{time:?}"),
        )
    })?;
    Ok(Schedule::Clocked(Clocked::new(at)))
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
    Interval::new(duration(time)?, relative).map(Schedule::Interval)
}

pub(super) fn duration(time: &Value) -> Result<SignedDuration, ScheduleError> {
    match time {
        Value::Str(text) => text
            .parse()
            .map_err(|error: jiff::Error| form("a time such as 1h 30m", &error.to_string())),
        number => number
            .as_f64()
            .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| form(FORMS, number.type_name())),
    }
}

fn form(expected: &'static str, found: &str) -> ScheduleError {
    ScheduleError::Form {
        expected,
        found: found.to_owned(),
    }
}

//! An entry of celery-redbeat: its definition and its runs, JSON by redbeat's own encoder.

use beat::Ran;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use protocol::{Map, Value, to_value};
use serde::Deserialize;

use super::{Found, definition};

/// What redbeat keeps of an entry's runs.
#[derive(Debug, Deserialize)]
struct Meta {
    last_run_at: Option<Moment>,
    #[serde(default)]
    total_run_count: u64,
}

/// A time as redbeat's encoder takes it apart; its zone is a name, or seconds east.
#[derive(Debug, Deserialize)]
struct Moment {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    microsecond: i32,
    timezone: serde_json::Value,
}

pub(super) fn read(name: String, definition: &str, meta: Option<&str>) -> Found {
    let ran = meta
        .and_then(|meta| serde_json::from_str::<Meta>(meta).ok())
        .and_then(|meta| {
            Some(Ran {
                name: name.clone(),
                last_run_at: meta.last_run_at?.timestamp()?,
                total_run_count: meta.total_run_count,
            })
        });
    Found {
        definition: fields(definition).and_then(|fields| definition::convert(&fields)),
        name,
        ran,
    }
}

/// Read as plain JSON: redbeat's objects are none of Celery's wire.
fn fields(text: &str) -> Result<Map, String> {
    let wrong = |error: String| format!("its definition cannot be read: {error}");
    let plain: serde_json::Value =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match to_value(&plain).map_err(|error| wrong(error.to_string()))? {
        Value::Map(fields) => Ok(fields),
        other => Err(wrong(format!("it is {}", other.type_name()))),
    }
}

impl Moment {
    fn timestamp(&self) -> Option<Timestamp> {
        let wall = DateTime::new(
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.microsecond.checked_mul(1_000)?,
        );
        let zone = match &self.timezone {
            serde_json::Value::String(name) => TimeZone::get(name).ok()?,
            seconds => {
                let seconds = SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
                TimeZone::fixed(Offset::try_from(seconds).ok()?)
            }
        };
        zone.to_timestamp(wall.ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_in_any_zone() {
        let meta = |zone: &str| {
            format!(
                r#"{{"last_run_at": {{"__type__": "datetime", "year": 2026, "month": 11, "day": 20, "hour": 12,
                "minute": 30, "second": 1, "microsecond": 5, "timezone": {zone}}}, "total_run_count": 3}}"#
            )
        };
        for (zone, at) in [
            ("\"UTC\"", "2026-11-20T12:30:01.000005Z"),
            ("3600.0", "2026-11-20T11:30:01.000005Z"),
            ("\"Asia/Tokyo\"", "2026-11-20T03:30:01.000005Z"),
        ] {
            let ran = read("a".to_owned(), "{}", Some(&meta(zone))).ran.unwrap();
            assert_eq!(
                (ran.last_run_at, ran.total_run_count),
                (at.parse().unwrap(), 3)
            );
        }
        assert_eq!(
            read("a".to_owned(), "{}", Some(r#"{"last_run_at": null}"#)).ran,
            None
        );
    }
}

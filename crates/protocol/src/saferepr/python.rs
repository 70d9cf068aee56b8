//! `repr` of Python's scalars.

use jiff::civil;

use crate::json::float_text;
use crate::value::{DateTime, Time, Value};

/// A scalar that is neither text nor bytes.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(value) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::Decimal(value) => format!("Decimal('{value}')"),
        Value::Uuid(value) => format!("UUID('{value}')"),
        Value::Date(value) => match value.civil() {
            Some(date) => format!("datetime.date({})", date_fields(date)),
            None => value.to_string(),
        },
        Value::Time(value) => time(value),
        Value::DateTime(value) => datetime(value),
        _ => "None".to_owned(),
    }
}

/// Bytes as text when they are UTF-8, else as hex digits.
pub(super) fn bytes(bytes: &[u8], limit: usize) -> String {
    let (shown, dots) = match bytes.get(..limit) {
        Some(start) if start.len() < bytes.len() => (start, "..."),
        _ => (bytes, ""),
    };
    let text = match std::str::from_utf8(shown) {
        Ok(text) => text.to_owned(),
        Err(_) => shown.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    format!("b'{text}{dots}'")
}

fn float(value: f64) -> String {
    match float_text(value).as_str() {
        "NaN" => "nan".to_owned(),
        "Infinity" => "inf".to_owned(),
        "-Infinity" => "-inf".to_owned(),
        finite => finite.to_owned(),
    }
}

fn time(value: &Time) -> String {
    let Some(clock) = value.civil() else {
        return value.to_string();
    };
    let zone = zone(value.as_str());
    format!("datetime.time({}{zone})", clock_fields(clock))
}

fn datetime(value: &DateTime) -> String {
    let Some(wall) = value.civil() else {
        return value.to_string();
    };
    let clock = value
        .as_str()
        .split_once(['T', 't', ' '])
        .map_or("", |(_, clock)| clock);
    let (date, clock_text) = (date_fields(wall.date()), clock_fields(wall.time()));
    format!("datetime.datetime({date}, {clock_text}{})", zone(clock))
}

fn date_fields(date: civil::Date) -> String {
    format!("{}, {}, {}", date.year(), date.month(), date.day())
}

/// Hour and minute always; seconds and microseconds only as far as they are not zero.
fn clock_fields(time: civil::Time) -> String {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    match (second, time.subsec_nanosecond() / 1_000) {
        (0, 0) => format!("{hour}, {minute}"),
        (second, 0) => format!("{hour}, {minute}, {second}"),
        (second, micros) => format!("{hour}, {minute}, {second}, {micros}"),
    }
}

/// The `tzinfo` of a clock reading with an offset.
fn zone(clock: &str) -> String {
    let Some(at) = clock.find(['+', '-', 'Z', 'z']) else {
        return String::new();
    };
    let delta = match offset_seconds(&clock[at..]) {
        0 => return ", tzinfo=datetime.timezone.utc".to_owned(),
        east if east > 0 => format!("seconds={east}"),
        west => format!("days=-1, seconds={}", 86_400 + west),
    };
    format!(", tzinfo=datetime.timezone(datetime.timedelta({delta}))")
}

/// Seconds east of UTC of `+05:30`, `-0400` or `Z`.
fn offset_seconds(offset: &str) -> i64 {
    let digits: Vec<i64> = offset
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| i64::from(digit - b'0'))
        .collect();
    let pair = |index: usize| {
        let tens = digits.get(index).copied().unwrap_or(0);
        tens * 10 + digits.get(index + 1).copied().unwrap_or(0)
    };
    let size = pair(0) * 3_600 + pair(2) * 60 + pair(4);
    if offset.starts_with('-') { -size } else { size }
}

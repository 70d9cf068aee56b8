//! Times and decimals that keep the exact text of the wire.

use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::error::{DecodeError, DecodeErrorKind};

fn bad(what: &str, text: &str) -> DecodeError {
    let shown: String = text.chars().take(80).collect();
    DecodeError::new(
        DecodeErrorKind::Value,
        format!("expected {what}, found {shown:?}"),
    )
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text of the wire after checking it.
            ///
            /// # Errors
            #[doc = concat!("When the text is not ", $what, ".")]
            pub fn parse(text: impl Into<String>) -> Result<Self, DecodeError> {
                let text = text.into();
                if $check(&text) { Ok(Self(text)) } else { Err(bad($what, &text)) }
            }

            /// The exact text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The exact text, by value.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type! {
    /// A date and time in ISO 8601, with or without offset.
    DateTime, "an ISO 8601 date and time", is_datetime
}
text_type! {
    /// A date in ISO 8601.
    Date, "an ISO 8601 date", is_date
}
text_type! {
    /// A time of day in ISO 8601, with or without offset.
    Time, "an ISO 8601 time", is_time
}
text_type! {
    /// A decimal as Python's `Decimal` prints it, exponents and specials included.
    Decimal, "a decimal number", is_decimal
}

impl DateTime {
    /// The instant; a text without offset is taken as UTC. `None` when it lies outside the years
    /// the clock library knows.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.0.parse().ok().or_else(|| {
            let naive = self.civil()?;
            naive
                .to_zoned(TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp())
        })
    }

    /// True when the text says no offset.
    pub fn is_naive(&self) -> bool {
        self.0.parse::<Timestamp>().is_err()
    }

    /// The wall-clock reading, without regard to any offset.
    pub fn civil(&self) -> Option<civil::DateTime> {
        self.0.trim_end_matches(['Z', 'z']).parse().ok()
    }
}

impl Date {
    /// The date.
    pub fn civil(&self) -> Option<civil::Date> {
        self.0.parse().ok()
    }
}

impl Time {
    /// The time of day, without regard to any offset.
    pub fn civil(&self) -> Option<civil::Time> {
        clock_part(&self.0).parse().ok()
    }
}

impl Decimal {
    /// The number, where it can be held exactly (28 digits).
    pub fn to_decimal(&self) -> Option<rust_decimal::Decimal> {
        if self.0.contains(['e', 'E']) {
            rust_decimal::Decimal::from_scientific(&self.0).ok()
        } else {
            rust_decimal::Decimal::from_str_exact(&self.0).ok()
        }
    }
}

impl From<rust_decimal::Decimal> for Decimal {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self(value.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(value: Timestamp) -> Self {
        Self(timestamp_text(value))
    }
}

impl From<civil::DateTime> for DateTime {
    fn from(value: civil::DateTime) -> Self {
        let mut text = String::with_capacity(LONGEST);
        push_date(&mut text, value.date());
        text.push('T');
        push_clock(&mut text, value.time());
        Self(text)
    }
}

impl From<civil::Date> for Date {
    fn from(value: civil::Date) -> Self {
        Self(value.to_string())
    }
}

impl From<civil::Time> for Time {
    fn from(value: civil::Time) -> Self {
        let mut text = String::with_capacity(LONGEST);
        push_clock(&mut text, value);
        Self(text)
    }
}

/// The length of the longest text of a time, with its offset.
const LONGEST: usize = 35;

/// An instant as Python's `datetime.isoformat()` writes it in UTC: `2031-02-03T04:05:06.000007+00:00`.
pub fn timestamp_text(value: Timestamp) -> String {
    let mut text = DateTime::from(TimeZone::UTC.to_datetime(value)).into_string();
    text.push_str("+00:00");
    text
}

/// `2031-02-03`; of years that Python does not know, what the clock library writes.
fn push_date(text: &mut String, date: civil::Date) {
    let Ok(year @ 0..=9_999) = u32::try_from(date.year()) else {
        return text.push_str(&date.to_string());
    };
    push_digits(text, year, 4);
    for part in [date.month(), date.day()] {
        text.push('-');
        push_digits(text, u32::from(part.unsigned_abs()), 2);
    }
}

/// Python's form: no fraction when it is zero, else six digits; nine only where six would lose some.
fn push_clock(text: &mut String, time: civil::Time) {
    for (part, before) in [
        (time.hour(), ""),
        (time.minute(), ":"),
        (time.second(), ":"),
    ] {
        text.push_str(before);
        push_digits(text, u32::from(part.unsigned_abs()), 2);
    }
    let nanos = time.subsec_nanosecond().unsigned_abs();
    if nanos == 0 {
        return;
    }
    text.push('.');
    match nanos % 1_000 {
        0 => push_digits(text, nanos / 1_000, 6),
        _ => push_digits(text, nanos, 9),
    }
}

/// A number with leading zeros. Times are written for every task, so without the formatting machinery.
fn push_digits(text: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.extend(char::from_digit(digit, 10));
    }
}

fn is_datetime(text: &str) -> bool {
    text.contains([':', 'T', 't'])
        && (text.parse::<Timestamp>().is_ok() || text.parse::<civil::DateTime>().is_ok())
}

fn is_date(text: &str) -> bool {
    !text.contains([':', 'T', 't']) && text.parse::<civil::Date>().is_ok()
}

fn is_time(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && clock_part(text).parse::<civil::Time>().is_ok()
}

/// The part of a time before its offset.
fn clock_part(text: &str) -> &str {
    text.split(['+', '-', 'Z', 'z']).next().unwrap_or(text)
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let nan = lower
        .strip_prefix("snan")
        .or_else(|| lower.strip_prefix("nan"));
    if let Some(payload) = nan {
        return payload.bytes().all(|byte| byte.is_ascii_digit());
    }
    matches!(lower.as_str(), "inf" | "infinity") || is_finite_decimal(&lower)
}

fn is_finite_decimal(lower: &str) -> bool {
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((lower, "0"));
    let mut dots = 0;
    let mut digits = 0;
    for byte in mantissa.bytes() {
        match byte {
            b'.' => dots += 1,
            b'0'..=b'9' => digits += 1,
            _ => return false,
        }
    }
    dots <= 1 && digits > 0 && super::looks_like_integer(exponent)
}

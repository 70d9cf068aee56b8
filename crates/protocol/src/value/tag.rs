//! Reserved names under which values that serde does not know pass through it.

use super::{BigInt, Date, DateTime, Decimal, Time, Value};
use crate::error::{DecodeError, DecodeErrorKind};

pub(crate) const DECIMAL: &str = "$celery::decimal";
pub(crate) const DATETIME: &str = "$celery::datetime";
pub(crate) const DATE: &str = "$celery::date";
pub(crate) const TIME: &str = "$celery::time";
pub(crate) const UUID: &str = "$celery::uuid";
pub(crate) const BIGINT: &str = "$celery::bigint";
/// Asks a [`Value`] deserializer for the value itself, with its type.
pub(crate) const VALUE: &str = "$celery::value";

/// Every name that stands for a type.
pub(crate) const TYPES: &[&str] = &[DECIMAL, DATETIME, DATE, TIME, UUID, BIGINT];

/// The value of a reserved name with its text.
pub(super) fn parse(name: &str, text: String) -> Result<Value, DecodeError> {
    let fault = |detail: String| DecodeError::new(DecodeErrorKind::Value, detail);
    match name {
        DECIMAL => Decimal::parse(text).map(Value::Decimal),
        DATETIME => DateTime::parse(text).map(Value::DateTime),
        DATE => Date::parse(text).map(Value::Date),
        TIME => Time::parse(text).map(Value::Time),
        BIGINT => BigInt::parse(&text).map(Value::BigInt),
        UUID => text
            .parse()
            .map(Value::Uuid)
            .map_err(|error| fault(format!("bad UUID: {error}"))),
        other => Err(fault(format!("unknown typed value {other:?}"))),
    }
}

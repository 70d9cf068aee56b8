//! kombu's typed values: a map with exactly the keys `__type__` and `__value__`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::value::{Date, DateTime, Decimal, Map, Time, Value};

pub(crate) const TYPE: &str = "__type__";
pub(crate) const VALUE: &str = "__value__";

/// True when a plain map would be read as a typed value.
pub(crate) fn is_marker(map: &Map) -> bool {
    map.len() == 2 && map.contains_key(TYPE) && map.contains_key(VALUE)
}

/// The typed value of a marker map, or the map itself.
pub(crate) fn typed(mut map: Map) -> Result<Value, DecodeError> {
    if !is_marker(&map) {
        return Ok(Value::Map(map));
    }
    let Some(Value::Str(kind)) = map.remove(TYPE) else {
        return Err(DecodeError::wrong_type("the name of a type", "another value").at(TYPE));
    };
    let value = map.remove(VALUE).unwrap_or_default();
    match kind.as_str() {
        "datetime" => DateTime::parse(text(value)?).map(Value::DateTime),
        "date" => Date::parse(text(value)?).map(Value::Date),
        "time" => Time::parse(text(value)?).map(Value::Time),
        "decimal" => Decimal::parse(text(value)?).map(Value::Decimal),
        "uuid" => uuid(&value),
        "bytes" => Ok(Value::Bytes(text(value)?.into_bytes())),
        "base64" => base64_bytes(&text(value)?),
        other => {
            let detail = format!("unknown typed value {other:?}");
            return Err(DecodeError::new(DecodeErrorKind::Value, detail).at(TYPE));
        }
    }
    .map_err(|error| error.at(VALUE))
}

fn text(value: Value) -> Result<String, DecodeError> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(DecodeError::wrong_type("text", other.type_name()).at(VALUE)),
    }
}

/// `{"hex": "…"}`, or the bare text some older versions wrote.
fn uuid(value: &Value) -> Result<Value, DecodeError> {
    let hex = value.get("hex").or(Some(value)).and_then(Value::as_str);
    hex.and_then(|hex| uuid::Uuid::try_parse(hex).ok())
        .map(Value::Uuid)
        .ok_or_else(|| {
            DecodeError::new(DecodeErrorKind::Value, "expected the hex digits of a UUID")
        })
}

fn base64_bytes(text: &str) -> Result<Value, DecodeError> {
    STANDARD
        .decode(text)
        .map(Value::Bytes)
        .map_err(|error| DecodeError::new(DecodeErrorKind::Value, format!("bad base64: {error}")))
}

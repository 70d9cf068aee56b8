//! MessagePack, with text and bytes kept apart.

mod bounds;

use rmpv::Value as Pack;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::limits::{Limits, MAX_DEPTH};
use crate::value::{BigInt, Map, Value};

const NAME: &str = "msgpack";

pub(super) fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let pack = to_pack(value, 0)?;
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, &pack)
        .map_err(|error| EncodeError::unrepresentable(NAME, error.to_string()))?;
    Ok(out)
}

fn to_pack(value: &Value, depth: usize) -> Result<Pack, EncodeError> {
    if depth > MAX_DEPTH {
        return Err(EncodeError::TooDeep { limit: MAX_DEPTH });
    }
    Ok(match value {
        Value::Null => Pack::Nil,
        Value::Bool(value) => Pack::Boolean(*value),
        Value::Int(value) => Pack::from(*value),
        Value::BigInt(value) => unsigned(value)?,
        Value::Float(value) => Pack::F64(*value),
        Value::Str(text) => Pack::from(text.as_str()),
        Value::Bytes(bytes) => Pack::Binary(bytes.clone()),
        Value::List(items) => Pack::Array(list(items, depth)?),
        Value::Map(map) => Pack::Map(entries(map, depth)?),
        other => return Err(EncodeError::unrepresentable(NAME, other.type_name())),
    })
}

fn unsigned(value: &BigInt) -> Result<Pack, EncodeError> {
    match value.to_u128().map(u64::try_from) {
        Some(Ok(value)) => Ok(Pack::from(value)),
        _ => Err(EncodeError::unrepresentable(NAME, "an integer of more than 64 bits")),
    }
}

fn list(items: &[Value], depth: usize) -> Result<Vec<Pack>, EncodeError> {
    let items = items.iter().enumerate();
    items
        .map(|(index, item)| {
            to_pack(item, depth + 1).map_err(|error| error.at(&format!("[{index}]")))
        })
        .collect()
}

fn entries(map: &Map, depth: usize) -> Result<Vec<(Pack, Pack)>, EncodeError> {
    map.iter()
        .map(|(key, value)| {
            let packed = to_pack(value, depth + 1).map_err(|error| error.at(key))?;
            Ok((Pack::from(key.as_str()), packed))
        })
        .collect()
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    bounds::check(bytes, limits)?;
    let mut rest = bytes;
    // The depth is checked above; this one counts several steps per level.
    let pack = rmpv::decode::read_value_with_max_depth(&mut rest, usize::from(u16::MAX))
        .map_err(|error| syntax(&format!("bad msgpack: {error}")))?;
    from_pack(pack)
}

fn from_pack(pack: Pack) -> Result<Value, DecodeError> {
    Ok(match pack {
        Pack::Nil => Value::Null,
        Pack::Boolean(value) => Value::Bool(value),
        Pack::Integer(value) => integer(value),
        Pack::F32(value) => Value::Float(f64::from(value)),
        Pack::F64(value) => Value::Float(value),
        Pack::String(text) => Value::Str(text.into_str().ok_or_else(|| syntax("text is not UTF-8"))?),
        Pack::Binary(bytes) => Value::Bytes(bytes),
        Pack::Array(items) => Value::List(from_list(items)?),
        Pack::Map(entries) => Value::Map(from_entries(entries)?),
        Pack::Ext(kind, _) => {
            let detail = format!("msgpack extension type {kind} is not supported");
            return Err(DecodeError::new(DecodeErrorKind::Type, detail));
        }
    })
}

fn integer(value: rmpv::Integer) -> Value {
    match (value.as_i64(), value.as_u64()) {
        (None, Some(large)) => Value::BigInt(BigInt::from(u128::from(large))),
        (small, _) => Value::Int(small.unwrap_or_default()),
    }
}

fn from_list(items: Vec<Pack>) -> Result<Vec<Value>, DecodeError> {
    let items = items.into_iter().enumerate();
    items.map(|(index, item)| from_pack(item).map_err(|error| error.at_index(index))).collect()
}

fn from_entries(entries: Vec<(Pack, Pack)>) -> Result<Map, DecodeError> {
    let mut map = Map::new();
    for (key, value) in entries {
        let Pack::String(key) = key else {
            return Err(DecodeError::new(DecodeErrorKind::Type, "a map key must be text"));
        };
        let key = key.into_str().ok_or_else(|| syntax("a map key is not UTF-8"))?;
        let value = from_pack(value).map_err(|error| error.at(&key))?;
        map.try_insert(key, value).map_err(|(key, _)| DecodeError::duplicate(&key))?;
    }
    Ok(map)
}

fn syntax(detail: &str) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Syntax, detail)
}

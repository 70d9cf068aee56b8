//! Which required fields are missing: all of them, though a deserialiser names only the first.

use protocol::{Date, DateTime, Decimal, DecodeError, DecodeErrorKind, Map, Value, from_value};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The fields of `T` that `value` lacks, in order, `error` being what reading it gave. None if it lacks nothing.
///
/// Each missing field is filled with whatever its type takes, until the next one is named.
pub(super) fn missing<T: DeserializeOwned>(value: Value, error: &DecodeError) -> Vec<String> {
    let (Value::Map(mut map), Some(mut field)) = (value, missing_field(error)) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    while !names.contains(&field) {
        names.push(field.clone());
        match fill::<T>(&mut map, &field) {
            Some(next) => field = next,
            None => break,
        }
    }
    names
}

/// Fills the field and returns the next one that is missing.
fn fill<T: DeserializeOwned>(map: &mut Map, field: &str) -> Option<String> {
    for stand_in in stand_ins() {
        map.insert(field, stand_in);
        match from_value::<T>(Value::Map(map.clone())) {
            Ok(_) => return None,
            Err(error) if concerns(&error, field) => {}
            Err(error) => return missing_field(&error),
        }
    }
    None
}

/// One value of each kind that fields are made of.
fn stand_ins() -> Vec<Value> {
    let texts = [
        Decimal::parse("0").map(Value::Decimal),
        Date::parse("2000-01-01").map(Value::Date),
    ];
    let times = [DateTime::parse("2000-01-01T00:00:00+00:00").map(Value::DateTime)];
    let simple = [
        Value::Int(0),
        Value::from(""),
        Value::Bool(false),
        Value::List(Vec::new()),
        Map::new().into(),
    ];
    let typed = texts.into_iter().chain(times).flatten();
    simple
        .into_iter()
        .chain(typed)
        .chain([Value::Uuid(Uuid::nil())])
        .collect()
}

/// The top-level field that the error says is missing.
fn missing_field(error: &DecodeError) -> Option<String> {
    let top = error.kind() == DecodeErrorKind::Missing && !error.path().contains(['.', '[']);
    top.then(|| error.path().to_owned())
}

fn concerns(error: &DecodeError, field: &str) -> bool {
    let rest = error.path().strip_prefix(field);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

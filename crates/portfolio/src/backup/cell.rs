//! One value of a row as a backup's lines have it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One value. Numbers that are not whole, and bytes, are objects, so that they come back as they were.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Integer(value) => json!(value),
            Cell::Real(value) => json!({"real": value.to_string()}),
            Cell::Text(value) => json!(value),
            Cell::Bytes(value) => json!({"bytes": STANDARD.encode(value)}),
        }
    }

    pub(super) fn from_json(value: Value) -> Option<Cell> {
        Some(match value {
            Value::Null => Cell::Null,
            Value::Number(number) => Cell::Integer(number.as_i64()?),
            Value::String(text) => Cell::Text(text),
            Value::Object(object) => {
                let (kind, text) = object.iter().next()?;
                match (kind.as_str(), text.as_str()?) {
                    ("real", text) => Cell::Real(text.parse().ok()?),
                    ("bytes", text) => Cell::Bytes(STANDARD.decode(text).ok()?),
                    _ => return None,
                }
            }
            Value::Bool(_) | Value::Array(_) => return None,
        })
    }

    /// As PostgreSQL is given it: as text that is cast to the column's type; bytes in base64.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Cell::Null => None,
            Cell::Integer(value) => Some(value.to_string()),
            Cell::Real(value) => Some(value.to_string()),
            Cell::Text(value) => Some(value),
            Cell::Bytes(value) => Some(STANDARD.encode(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_bytes_come_back_as_they_were(
            integer: i64,
            real in any::<f64>().prop_filter("databases hold no NaN", |real| !real.is_nan()),
            bytes: Vec<u8>,
        ) {
            for cell in [Cell::Null, Cell::Integer(integer), Cell::Real(real), Cell::Text("ü".to_owned()), Cell::Bytes(bytes)] {
                let line = cell.to_json().to_string();
                let back = Cell::from_json(serde_json::from_str(&line).unwrap());
                prop_assert_eq!(back, Some(cell));
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["true", "[]", "{}", "1.5", r#"{"real": 1}"#, r#"{"x": "1"}"#] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(Cell::from_json(value), None, "{text}");
        }
    }
}

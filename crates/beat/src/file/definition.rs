//! What an entry is read from: a value of the settings, or the JSON text of one.

use bytes::Bytes;
use protocol::{DecodeError, Value, from_value};

use super::raw::RawEntry;

/// An entry as somebody wrote it.
#[derive(Debug)]
pub enum Definition {
    /// In the form of the settings.
    Value(Value),
    /// The same as JSON.
    Json(Bytes),
}

impl From<Value> for Definition {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Definition {
    /// The value. What is no JSON stays a text, which is no entry: so the name is shown with its problem.
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Json(text) => serde_json::from_slice(&text)
                .unwrap_or_else(|_| Value::Str(String::from_utf8_lossy(&text).into_owned())),
        }
    }

    /// A text is read without a value in between, unless something is wrong, which the value tells better.
    pub(super) fn read(self) -> Result<RawEntry, DecodeError> {
        if let Self::Json(text) = &self
            && let Ok(raw) = serde_json::from_slice(text)
        {
            return Ok(raw);
        }
        from_value(self.value())
    }
}

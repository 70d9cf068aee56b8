//! Exceptions as data: what a failed task stores as its result.

use crate::error::DecodeError;
use crate::saferepr::exact::repr;
use crate::take;
use crate::value::{Map, Value};

/// An exception as Celery stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExceptionInfo {
    /// Qualified class name.
    pub exc_type: String,
    /// The exception's arguments.
    pub exc_message: Vec<Value>,
    /// Module of the class, such as `builtins` or `celery.exceptions`.
    pub exc_module: Option<String>,
}

impl ExceptionInfo {
    /// An exception with one text argument.
    pub fn new(module: &str, kind: &str, message: impl Into<Value>) -> Self {
        Self {
            exc_type: kind.to_owned(),
            exc_message: vec![message.into()],
            exc_module: Some(module.to_owned()),
        }
    }

    /// Reads an exception map; `None` when the value is not one.
    pub fn from_value(value: &Value) -> Option<Self> {
        Self::read(value.clone()).ok()
    }

    fn read(value: Value) -> Result<Self, DecodeError> {
        let mut map = take::map(value)?;
        let exc_type = take::field(&mut map, "exc_type", take::text)?;
        Ok(Self {
            exc_type: exc_type.ok_or_else(|| DecodeError::missing("exc_type"))?,
            exc_message: match map.remove("exc_message").unwrap_or_default() {
                Value::List(args) => args,
                Value::Null => Vec::new(),
                single => vec![single],
            },
            exc_module: take::field(&mut map, "exc_module", take::text)?,
        })
    }

    /// As Python prints it: `ValueError('bad', 3)`.
    pub fn repr(&self) -> String {
        let args: Vec<_> = self.exc_message.iter().map(repr).collect();
        format!("{}({})", self.exc_type, args.join(", "))
    }
}

impl From<&ExceptionInfo> for Value {
    fn from(info: &ExceptionInfo) -> Self {
        let mut map = Map::new();
        map.insert("exc_type", info.exc_type.as_str());
        map.insert("exc_message", Value::List(info.exc_message.clone()));
        map.insert("exc_module", info.exc_module.clone());
        Value::Map(map)
    }
}

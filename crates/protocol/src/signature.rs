//! Signatures: a task call as data, for callbacks, chains and chords.

use crate::error::DecodeError;
use crate::take;
use crate::value::{Key, Map, Value};

/// A call that can be sent later.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signature {
    /// Task name.
    pub task: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Map,
    /// Whatever `apply_async` takes, such as `task_id`, `queue` or `link`.
    pub options: Map,
    /// `chain`, `group`, `chord`, `chunks`, `xmap`, `xstarmap`, or nothing for a plain task.
    pub subtask_type: Option<String>,
    /// True when results of earlier tasks are not prepended to `args`.
    pub immutable: bool,
    /// Every other field.
    pub extra: Map,
}

impl Signature {
    /// A plain call without arguments.
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            ..Self::default()
        }
    }

    /// Sets the positional arguments.
    #[must_use]
    pub fn args(mut self, args: Vec<Value>) -> Self {
        self.args = args;
        self
    }

    /// Sets one keyword argument.
    #[must_use]
    pub fn kwarg(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.kwargs.insert(name, value);
        self
    }

    /// Sets one option.
    #[must_use]
    pub fn option(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.options.insert(name, value);
        self
    }

    /// The text option `name`, if it is set.
    pub fn text_option(&self, name: &str) -> Option<&str> {
        self.options.get(name).and_then(Value::as_str)
    }

    /// Puts results of earlier tasks in front of the arguments, unless immutable.
    pub fn prepend(&mut self, args: impl IntoIterator<Item = Value>) {
        if !self.immutable {
            self.args.splice(0..0, args);
        }
    }

    /// Reads a signature; only `task` must be there.
    ///
    /// # Errors
    /// When it is not a map or a field has the wrong type; the error names the field.
    pub fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut map = take::map(value)?;
        let task = take::field(&mut map, "task", take::text)?;
        Ok(Self {
            task: task.ok_or_else(|| DecodeError::missing("task"))?,
            args: take::field(&mut map, "args", list_or_null)?,
            kwargs: take::field(&mut map, "kwargs", map_or_null)?,
            options: take::field(&mut map, "options", map_or_null)?,
            subtask_type: take::field(&mut map, "subtask_type", take::text)?,
            immutable: take::field(&mut map, "immutable", take::boolean)?.unwrap_or(false),
            extra: map,
        })
    }

    /// The signature as a map, with every field in Python's order.
    pub fn into_value(self) -> Value {
        let mut map = Map::new();
        map.insert("task", self.task);
        map.insert("args", Value::List(self.args));
        map.insert("kwargs", self.kwargs);
        map.insert("options", self.options);
        map.insert("subtask_type", self.subtask_type);
        map.insert("immutable", self.immutable);
        map.extend(self.extra);
        Value::Map(map)
    }
}

impl From<Signature> for Value {
    fn from(signature: Signature) -> Self {
        signature.into_value()
    }
}

/// Reads a list of signatures, one signature, or null.
pub(crate) fn signatures(value: Value) -> Result<Option<Vec<Signature>>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        Value::Map(map) => Ok(Some(vec![Signature::from_value(Value::Map(map))?])),
        value => take::each(take::list(value)?, Signature::from_value).map(Some),
    }
}

/// Reads one signature or null.
pub(crate) fn optional(value: Value) -> Result<Option<Signature>, DecodeError> {
    if value.is_null() {
        Ok(None)
    } else {
        Signature::from_value(value).map(Some)
    }
}

pub(crate) fn list_or_null(value: Value) -> Result<Vec<Value>, DecodeError> {
    if value.is_null() {
        Ok(Vec::new())
    } else {
        take::list(value)
    }
}

pub(crate) fn map_or_null(value: Value) -> Result<Map, DecodeError> {
    if value.is_null() {
        Ok(Map::new())
    } else {
        take::map(value)
    }
}

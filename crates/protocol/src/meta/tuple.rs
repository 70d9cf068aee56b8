//! Result tuples: a task or group result with its parent, as nested lists.

use crate::error::DecodeError;
use crate::take;
use crate::value::Value;

/// A result handle as data: `[[id, parent], null]` for a task, `[[gid, parent], [child…]]` for a group.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultTuple {
    /// Task or group id.
    pub id: String,
    /// The result this one follows from.
    pub parent: Option<Box<ResultTuple>>,
    /// Members of a group; `None` for a task.
    pub children: Option<Vec<ResultTuple>>,
}

impl ResultTuple {
    /// A task without parent.
    pub fn task(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            parent: None,
            children: None,
        }
    }

    /// A group without parent.
    pub fn group(id: impl Into<String>, children: Vec<Self>) -> Self {
        Self {
            id: id.into(),
            parent: None,
            children: Some(children),
        }
    }

    /// Reads the nested lists; a bare text is a task id.
    ///
    /// # Errors
    /// When the shape is another one; the error names the place.
    pub fn from_value(value: Value) -> Result<Self, DecodeError> {
        if let Value::Str(id) = value {
            return Ok(Self::task(id));
        }
        let (head, children) = pair(value)?;
        let (id, parent) = pair(head).map_err(|error| error.at_index(0))?;
        let id = match id {
            Value::Str(id) => id,
            other => {
                let error = DecodeError::wrong_type("an id", other.type_name());
                return Err(error.at_index(0).at_index(0));
            }
        };
        let parent = match parent {
            Value::Null => None,
            parent => {
                let at = |error: DecodeError| error.at_index(1).at_index(0);
                Some(Box::new(Self::from_value(parent).map_err(at)?))
            }
        };
        let children = self::children(children).map_err(|error| error.at_index(1))?;
        Ok(Self {
            id,
            parent,
            children,
        })
    }
}

impl From<&ResultTuple> for Value {
    fn from(tuple: &ResultTuple) -> Self {
        let parent = tuple.parent.as_deref().map(Self::from);
        let head = Self::List(vec![
            Self::from(tuple.id.as_str()),
            parent.unwrap_or_default(),
        ]);
        let children = tuple.children.as_ref();
        let children = children.map(|list| Self::List(list.iter().map(Self::from).collect()));
        Self::List(vec![head, children.unwrap_or_default()])
    }
}

/// A list of result tuples or null.
pub(super) fn children(value: Value) -> Result<Option<Vec<ResultTuple>>, DecodeError> {
    if value.is_null() {
        return Ok(None);
    }
    take::each(take::list(value)?, ResultTuple::from_value).map(Some)
}

fn pair(value: Value) -> Result<(Value, Value), DecodeError> {
    let items = take::list(value)?;
    match <[Value; 2]>::try_from(items) {
        Ok([first, second]) => Ok((first, second)),
        Err(items) => Err(DecodeError::wrong_type(
            "a list of two items",
            &format!("{} items", items.len()),
        )),
    }
}

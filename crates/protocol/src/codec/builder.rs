//! Puts values together for a decoder, within bounds. Nesting is kept on the heap, so depth costs
//! no stack.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::value::{Key, Map, Value};

/// A list or map that is still open.
enum Frame {
    List(Vec<Value>),
    Map(Map, Option<Key>),
}

/// Collects scalars, lists and maps into one value.
pub(super) struct Builder {
    stack: Vec<Frame>,
    root: Option<Value>,
    depth: usize,
    values_left: usize,
}

impl Builder {
    pub(super) fn new(limits: &Limits) -> Self {
        let (depth, values_left) = (limits.depth(), limits.values);
        Self {
            stack: Vec::new(),
            root: None,
            depth,
            values_left,
        }
    }

    /// The whole value, once nothing is open any more.
    pub(super) fn into_root(self) -> Option<Value> {
        self.root
    }

    pub(super) fn open_list(&mut self) -> Result<(), DecodeError> {
        self.open(Frame::List(Vec::new()))
    }

    pub(super) fn open_map(&mut self) -> Result<(), DecodeError> {
        self.open(Frame::Map(Map::new(), None))
    }

    fn open(&mut self, frame: Frame) -> Result<(), DecodeError> {
        if self.stack.len() >= self.depth {
            let detail = format!("nested deeper than {} levels", self.depth);
            return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
        }
        self.spend(1)?;
        self.stack.push(frame);
        Ok(())
    }

    /// Ends the innermost list or map and gives it back; [`Builder::put`] it where it belongs.
    pub(super) fn close(&mut self) -> Option<Value> {
        Some(match self.stack.pop()? {
            Frame::List(items) => Value::List(items),
            Frame::Map(map, _) => Value::Map(map),
        })
    }

    /// Puts a finished value where it belongs: a list item, a map key or value, or the root.
    pub(super) fn put(&mut self, value: Value) -> Result<(), DecodeError> {
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some(Frame::List(items)) => items.push(value),
            Some(Frame::Map(map, key)) => match key.take() {
                None => *key = Some(key_text(value)?),
                Some(key) => {
                    map.try_insert(key, value)
                        .map_err(|(key, _)| DecodeError::duplicate(&key))?;
                }
            },
        }
        Ok(())
    }

    /// Counts values against the limit.
    pub(super) fn spend(&mut self, values: usize) -> Result<(), DecodeError> {
        self.values_left = self.values_left.checked_sub(values).ok_or_else(|| {
            DecodeError::new(
                DecodeErrorKind::TooLarge,
                "more values than the limit allows",
            )
        })?;
        Ok(())
    }

    /// Adds the path of the open lists and maps.
    pub(super) fn locate(&self, error: DecodeError) -> DecodeError {
        self.stack
            .iter()
            .rev()
            .fold(error, |error, frame| match frame {
                Frame::List(items) => error.at_index(items.len()),
                Frame::Map(_, Some(key)) => error.at(key),
                Frame::Map(_, None) => error,
            })
    }
}

/// Map keys are text; numbers and words as keys are refused rather than renamed.
fn key_text(key: Value) -> Result<Key, DecodeError> {
    match key {
        Value::Str(text) => Ok(text.into()),
        other => Err(DecodeError::wrong_type(
            "a text as map key",
            other.type_name(),
        )),
    }
}

//! Walks a value for an encoder. Nesting is kept on the heap, so depth costs no stack.

use crate::error::EncodeError;
use crate::limits::MAX_DEPTH;
use crate::value::{Map, MapIter, Value};

/// What an encoder does at each step of the walk.
pub(crate) trait Sink {
    /// The deepest nesting that is written.
    const DEPTH: usize = MAX_DEPTH;

    /// A value that is neither a list nor a map.
    fn scalar(&mut self, value: &Value) -> Result<(), EncodeError>;
    /// A list of `len` items begins.
    fn begin_list(&mut self, len: usize) -> Result<(), EncodeError>;
    /// An item of a list that is not the first begins.
    fn next_item(&mut self);
    /// The list ends.
    fn end_list(&mut self);
    /// A map begins.
    fn begin_map(&mut self, map: &Map) -> Result<(), EncodeError>;
    /// An entry begins; its value follows.
    fn key(&mut self, key: &str);
    /// The map ends.
    fn end_map(&mut self);
}

/// Walks `value`; the error names the field.
pub(crate) fn walk(value: &Value, sink: &mut impl Sink) -> Result<(), EncodeError> {
    let mut open = Vec::new();
    visit(value, sink, &mut open).map_err(|error| locate(error, &open))
}

/// A list or map that is still open, and how far it is walked.
enum Open<'a> {
    List { items: &'a [Value], next: usize },
    Map { entries: MapIter<'a>, key: &'a str },
}

fn visit<'a>(
    value: &'a Value,
    sink: &mut impl Sink,
    open: &mut Vec<Open<'a>>,
) -> Result<(), EncodeError> {
    let mut next = value;
    loop {
        enter(next, sink, open)?;
        next = loop {
            let Some(last) = open.last_mut() else {
                return Ok(());
            };
            match last.advance(sink) {
                Some(value) => break value,
                None => open.pop(),
            };
        };
    }
}

/// Writes a scalar, or opens a list or map.
fn enter<'a, S: Sink>(
    value: &'a Value,
    sink: &mut S,
    open: &mut Vec<Open<'a>>,
) -> Result<(), EncodeError> {
    if !matches!(value, Value::List(_) | Value::Map(_)) {
        return sink.scalar(value);
    }
    if open.len() >= S::DEPTH {
        return Err(EncodeError::TooDeep { limit: S::DEPTH });
    }
    match value {
        Value::Map(map) => {
            sink.begin_map(map)?;
            open.push(Open::Map {
                entries: map.iter(),
                key: "",
            });
        }
        list => {
            let items = list.as_list().unwrap_or_default();
            sink.begin_list(items.len())?;
            open.push(Open::List { items, next: 0 });
        }
    }
    Ok(())
}

impl<'a> Open<'a> {
    /// The next value inside, or `None` after closing.
    fn advance(&mut self, sink: &mut impl Sink) -> Option<&'a Value> {
        match self {
            Self::List { items, next } => {
                let Some(item) = items.get(*next) else {
                    sink.end_list();
                    return None;
                };
                if *next > 0 {
                    sink.next_item();
                }
                *next += 1;
                Some(item)
            }
            Self::Map { entries, key } => {
                let Some((name, value)) = entries.next() else {
                    sink.end_map();
                    return None;
                };
                *key = name;
                sink.key(name);
                Some(value)
            }
        }
    }
}

fn locate(error: EncodeError, open: &[Open<'_>]) -> EncodeError {
    open.iter().rev().fold(error, |error, open| match open {
        Open::List { next, .. } => error.at(&format!("[{}]", next.saturating_sub(1))),
        Open::Map { key, .. } => error.at(key),
    })
}

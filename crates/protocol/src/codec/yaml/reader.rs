//! Builds a value from YAML events, within bounds. Nesting is kept on the heap.

use std::collections::HashMap;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

use super::{resolve, syntax};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::value::{Map, Value};

pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    if bytes.len() > limits.values {
        let detail = format!("YAML of {} bytes, the limit is {}", bytes.len(), limits.values);
        return Err(DecodeError::new(DecodeErrorKind::TooLarge, detail));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| syntax(format!("not UTF-8: {error}")))?;
    let mut builder = Builder::new(limits);
    let mut parser = Parser::new_from_str(text);
    loop {
        let (event, _) = parser.next_token().map_err(|error| syntax(format!("bad YAML: {error}")))?;
        if event == Event::StreamEnd {
            return Ok(builder.root.unwrap_or_default());
        }
        builder.event(event).map_err(|error| builder.locate(error))?;
    }
}

/// A list or map that is still open, with its anchor.
enum Frame {
    List(Vec<Value>, usize),
    Map(Map, Option<String>, usize),
}

/// A value that can be repeated, and how many values it is made of.
type Anchored = (Value, usize);

struct Builder {
    stack: Vec<Frame>,
    root: Option<Value>,
    anchors: HashMap<usize, Anchored>,
    depth: usize,
    values_left: usize,
}

impl Builder {
    fn new(limits: &Limits) -> Self {
        Self {
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            depth: limits.depth(),
            values_left: limits.values,
        }
    }

    fn event(&mut self, event: Event) -> Result<(), DecodeError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(1)?;
                let value = scalar(text, style, tag.as_ref())?;
                self.finish(value, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open(Frame::List(Vec::new(), anchor), tag.as_ref()),
            Event::MappingStart(anchor, tag) => {
                self.open(Frame::Map(Map::new(), None, anchor), tag.as_ref())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.repeat(anchor),
            Event::DocumentStart if self.root.is_some() => Err(syntax("more than one YAML document")),
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame, tag: Option<&Tag>) -> Result<(), DecodeError> {
        if let Some(tag) = tag {
            let name = resolve::tag_name(tag);
            if !matches!(name.as_deref(), Some("seq" | "map")) {
                return Err(resolve::unknown_tag(tag));
            }
        }
        if self.stack.len() >= self.depth {
            let detail = format!("nested deeper than {} levels", self.depth);
            return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
        }
        self.spend(1)?;
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), DecodeError> {
        match self.stack.pop() {
            Some(Frame::List(items, anchor)) => self.finish(Value::List(items), anchor),
            Some(Frame::Map(map, _, anchor)) => self.finish(Value::Map(map), anchor),
            None => Err(syntax("unbalanced YAML")),
        }
    }

    fn repeat(&mut self, anchor: usize) -> Result<(), DecodeError> {
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(syntax("an alias inside its own anchor"));
        };
        let (value, size) = (value.clone(), *size);
        self.spend(size)?;
        self.finish(value, 0)
    }

    /// Puts a finished value where it belongs: a list item, a map key or value, or the root.
    fn finish(&mut self, value: Value, anchor: usize) -> Result<(), DecodeError> {
        if anchor > 0 {
            let size = size(&value);
            self.spend(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some(Frame::List(items, _)) => items.push(value),
            Some(Frame::Map(map, key, _)) => match key.take() {
                None => *key = Some(key_text(value)?),
                Some(key) => {
                    map.try_insert(key, value).map_err(|(key, _)| DecodeError::duplicate(&key))?;
                }
            },
        }
        Ok(())
    }

    fn spend(&mut self, values: usize) -> Result<(), DecodeError> {
        self.values_left = self.values_left.checked_sub(values).ok_or_else(|| {
            DecodeError::new(DecodeErrorKind::TooLarge, "more values than the limit allows")
        })?;
        Ok(())
    }

    fn locate(&self, error: DecodeError) -> DecodeError {
        self.stack.iter().rev().fold(error, |error, frame| match frame {
            Frame::List(items, _) => error.at_index(items.len()),
            Frame::Map(_, Some(key), _) => error.at(key),
            Frame::Map(_, None, _) => error,
        })
    }
}

fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Result<Value, DecodeError> {
    match tag {
        Some(tag) => resolve::tagged(text, tag),
        None if style == TScalarStyle::Plain => resolve::plain(text),
        None => Ok(Value::Str(text)),
    }
}

/// Map keys are text; YAML numbers and words as keys are refused rather than renamed.
fn key_text(key: Value) -> Result<String, DecodeError> {
    match key {
        Value::Str(text) if text == "<<" => Err(syntax("YAML merge keys are not supported")),
        Value::Str(text) => Ok(text),
        other => Err(DecodeError::wrong_type("a text as map key", other.type_name())),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

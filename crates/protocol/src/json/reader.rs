//! A pull reader over JSON text. Nesting is kept on the heap, so depth costs no stack.

use std::borrow::Cow;

use super::{kombu, number, syntax, text};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::value::{Key, Map, Value};

pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) pos: usize,
    pub(super) depth: usize,
    values_left: usize,
}

/// A list or map that is still open.
enum Frame {
    List(Vec<Value>),
    Map(Map, Key),
}

/// What a value starts with.
enum Start {
    Scalar(Value),
    List,
    Map,
}

impl<'a> Reader<'a> {
    /// Checks size and UTF-8.
    pub(crate) fn new(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let largest = limits.payload.max(limits.decompressed);
        if bytes.len() > largest {
            let detail = format!("{} bytes, the limit is {largest}", bytes.len());
            return Err(DecodeError::new(DecodeErrorKind::TooLarge, detail));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| syntax("not UTF-8", error.valid_up_to()))?;
        Ok(Self {
            text,
            pos: 0,
            depth: limits.depth(),
            values_left: limits.values,
        })
    }

    /// Reads one value of any kind; the error's path starts at that value.
    pub(crate) fn value(&mut self) -> Result<Value, DecodeError> {
        match self.start()? {
            Start::Scalar(value) => Ok(value),
            opened => {
                let mut stack = Vec::new();
                self.build(opened, &mut stack)
                    .map_err(|error| locate(error, &stack))
            }
        }
    }

    /// Enters a map: true when it has entries, false when it is empty.
    pub(crate) fn begin_map(&mut self) -> Result<bool, DecodeError> {
        match self.peek() {
            Some(b'{') => self.pos += 1,
            Some(_) => return Err(DecodeError::wrong_type("a map", self.found())),
            None => return Err(syntax("unexpected end", self.pos)),
        }
        Ok(!self.closes(b'}'))
    }

    /// Enters a list: true when it has items, false when it is empty.
    pub(crate) fn begin_list(&mut self) -> Result<bool, DecodeError> {
        if !self.at_list() {
            return Err(DecodeError::wrong_type("a list", self.found()));
        }
        self.pos += 1;
        Ok(!self.closes(b']'))
    }

    /// After an item: true when another follows.
    pub(crate) fn next_item(&mut self) -> Result<bool, DecodeError> {
        self.separator(b']')
    }

    /// Whether a list is next.
    pub(crate) fn at_list(&mut self) -> bool {
        self.peek() == Some(b'[')
    }

    /// Whether a text is next.
    pub(crate) fn at_text(&mut self) -> bool {
        self.peek() == Some(b'"')
    }

    /// The byte that is next.
    pub(crate) fn position(&self) -> usize {
        self.pos
    }

    /// After an entry: true when another follows.
    pub(crate) fn next_entry(&mut self) -> Result<bool, DecodeError> {
        self.separator(b'}')
    }

    /// A map key and its colon.
    pub(crate) fn key(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        if self.peek() != Some(b'"') {
            return Err(syntax("expected a map key in double quotes", self.pos));
        }
        let key = text::read(self.text, &mut self.pos)?;
        match self.peek() {
            Some(b':') => self.pos += 1,
            _ => return Err(syntax("expected ':'", self.pos)),
        }
        Ok(key)
    }

    /// A text without copying it, where it has no escapes.
    pub(crate) fn str(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        match self.peek() {
            Some(b'"') => text::read(self.text, &mut self.pos),
            Some(_) => Err(DecodeError::wrong_type("text", self.found())),
            None => Err(syntax("unexpected end", self.pos)),
        }
    }

    /// A text, or `None` for null.
    pub(crate) fn str_or_null(&mut self) -> Result<Option<Cow<'a, str>>, DecodeError> {
        if self.null() {
            Ok(None)
        } else {
            self.str().map(Some)
        }
    }

    /// Takes a null if it is next.
    pub(crate) fn null(&mut self) -> bool {
        self.peek();
        let found = self.text.as_bytes()[self.pos..].starts_with(b"null");
        self.pos += if found { 4 } else { 0 };
        found
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(syntax("unexpected text after the end", self.pos)),
        }
    }

    fn build(&mut self, mut start: Start, stack: &mut Vec<Frame>) -> Result<Value, DecodeError> {
        loop {
            let mut value = match start {
                Start::Scalar(value) => value,
                Start::List if self.closes(b']') => Value::List(Vec::new()),
                Start::Map if self.closes(b'}') => Value::Map(Map::new()),
                opened => {
                    self.open(opened, stack)?;
                    start = self.start()?;
                    continue;
                }
            };
            loop {
                let Some(frame) = stack.last_mut() else {
                    return Ok(value);
                };
                if self.attach(frame, value)? {
                    break;
                }
                value = match stack.pop() {
                    Some(Frame::List(items)) => Value::List(items),
                    Some(Frame::Map(map, _)) => kombu::typed(map)?,
                    None => return Err(syntax("unbalanced brackets", self.pos)),
                };
            }
            start = self.start()?;
        }
    }

    fn open(&mut self, opened: Start, stack: &mut Vec<Frame>) -> Result<(), DecodeError> {
        if stack.len() >= self.depth {
            let detail = format!("nested deeper than {} levels", self.depth);
            return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
        }
        stack.push(match opened {
            Start::Map => Frame::Map(Map::new(), self.key()?.into()),
            _ => Frame::List(Vec::new()),
        });
        Ok(())
    }

    /// Puts a finished value into its parent; true when the parent goes on.
    fn attach(&mut self, frame: &mut Frame, value: Value) -> Result<bool, DecodeError> {
        match frame {
            Frame::List(items) => {
                items.push(value);
                self.separator(b']')
            }
            Frame::Map(map, key) => {
                if map.contains_key(key) {
                    return Err(DecodeError::new(
                        DecodeErrorKind::DuplicateKey,
                        "the same key occurs twice",
                    ));
                }
                let more = self.separator(b'}')?;
                let next = if more {
                    self.key()?.into()
                } else {
                    Key::default()
                };
                map.push_new(std::mem::replace(key, next), value);
                Ok(more)
            }
        }
    }

    fn start(&mut self) -> Result<Start, DecodeError> {
        self.count_value()?;
        match self.peek() {
            Some(b'{') => {
                self.pos += 1;
                Ok(Start::Map)
            }
            Some(b'[') => {
                self.pos += 1;
                Ok(Start::List)
            }
            Some(b'"') => {
                let text = text::read(self.text, &mut self.pos)?;
                Ok(Start::Scalar(Value::Str(text.into_owned())))
            }
            Some(_) => number::read_scalar(self.text, &mut self.pos).map(Start::Scalar),
            None => Err(syntax("unexpected end", self.pos)),
        }
    }

    /// One value more.
    pub(crate) fn count_value(&mut self) -> Result<(), DecodeError> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| {
            DecodeError::new(
                DecodeErrorKind::TooLarge,
                "more values than the limit allows",
            )
        })?;
        Ok(())
    }

    /// Skips white space and takes `close` if it is next.
    pub(super) fn closes(&mut self, close: u8) -> bool {
        let found = self.peek() == Some(close);
        self.pos += usize::from(found);
        found
    }

    /// After an item: true for a comma, false for `close`.
    pub(super) fn separator(&mut self, close: u8) -> Result<bool, DecodeError> {
        match self.peek() {
            Some(b',') => {
                self.pos += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.pos += 1;
                Ok(false)
            }
            Some(_) => Err(syntax("expected ',' or the closing bracket", self.pos)),
            None => Err(syntax("unexpected end", self.pos)),
        }
    }

    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.pos) {
            self.pos += 1;
        }
        bytes.get(self.pos).copied()
    }

    /// What stands at the current place, in words.
    fn found(&self) -> &'static str {
        let rest = &self.text[self.pos..];
        match rest.as_bytes().first() {
            None => "nothing",
            Some(b'{') => "a map",
            Some(b'[') => "a list",
            Some(b'"') => "text",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ if rest.starts_with("null") => "null",
            _ if rest.starts_with("true") || rest.starts_with("false") => "a boolean",
            _ => "something that is not JSON",
        }
    }
}

/// Adds the path of the open lists and maps.
fn locate(error: DecodeError, stack: &[Frame]) -> DecodeError {
    stack.iter().rev().fold(error, |error, frame| match frame {
        Frame::List(items) => error.at_index(items.len()),
        Frame::Map(_, key) => error.at(key),
    })
}

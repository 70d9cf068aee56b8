//! Builds a value from YAML events, within bounds.

use std::collections::HashMap;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{ScanError, TScalarStyle};

use super::{DEPTH, resolve, syntax};
use crate::codec::builder::Builder;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::value::Value;

pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    // Each byte can become a value, and the parser spends memory on it before we can count.
    if bytes.len() > limits.values {
        let detail = format!(
            "YAML of {} bytes, the limit is {}",
            bytes.len(),
            limits.values
        );
        return Err(DecodeError::new(DecodeErrorKind::TooLarge, detail));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| syntax(format!("not UTF-8: {error}")))?;
    let depth = limits.depth.min(DEPTH);
    let mut reader = Reader::new(&Limits { depth, ..*limits });
    let mut parser = Parser::new_from_str(text);
    loop {
        let (event, _) = parser.next_token().map_err(|error| fault(&error))?;
        if event == Event::StreamEnd {
            return Ok(reader.builder.into_root().unwrap_or_default());
        }
        reader
            .event(event)
            .map_err(|error| reader.builder.locate(error))?;
    }
}

/// The parser has a bound of its own for nesting, which it calls recursion.
fn fault(error: &ScanError) -> DecodeError {
    if error.info().contains("recursion limit") {
        let detail = format!("nested deeper than {DEPTH} levels");
        return DecodeError::new(DecodeErrorKind::TooDeep, detail);
    }
    syntax(format!("bad YAML: {error}"))
}

/// A value that can be repeated, and how many values it is made of.
type Anchored = (Value, usize);

struct Reader {
    builder: Builder,
    /// Anchors of the open lists and maps; 0 for none.
    open: Vec<usize>,
    anchors: HashMap<usize, Anchored>,
    documents: usize,
}

impl Reader {
    fn new(limits: &Limits) -> Self {
        let builder = Builder::new(limits);
        Self {
            builder,
            open: Vec::new(),
            anchors: HashMap::new(),
            documents: 0,
        }
    }

    fn event(&mut self, event: Event) -> Result<(), DecodeError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.builder.spend(1)?;
                let value = scalar(text, style, tag.as_ref())?;
                self.put(value, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                expect_tag(tag.as_ref(), "seq")?;
                self.open.push(anchor);
                self.builder.open_list()
            }
            Event::MappingStart(anchor, tag) => {
                expect_tag(tag.as_ref(), "map")?;
                self.open.push(anchor);
                self.builder.open_map()
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let anchor = self.open.pop().unwrap_or_default();
                let value = self
                    .builder
                    .close()
                    .ok_or_else(|| syntax("unbalanced YAML"))?;
                self.put(value, anchor)
            }
            Event::Alias(anchor) => self.repeat(anchor),
            Event::DocumentStart => self.document(),
            _ => Ok(()),
        }
    }

    fn document(&mut self) -> Result<(), DecodeError> {
        self.documents += 1;
        if self.documents > 1 {
            Err(syntax("more than one YAML document"))
        } else {
            Ok(())
        }
    }

    fn repeat(&mut self, anchor: usize) -> Result<(), DecodeError> {
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(syntax("an alias inside its own anchor"));
        };
        self.builder.spend(*size)?;
        self.builder.put(value.clone())
    }

    fn put(&mut self, value: Value, anchor: usize) -> Result<(), DecodeError> {
        if anchor > 0 {
            let size = size(&value);
            self.builder.spend(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        self.builder.put(value)
    }
}

fn expect_tag(tag: Option<&Tag>, name: &str) -> Result<(), DecodeError> {
    match tag {
        Some(tag) if resolve::tag_name(tag).as_deref() != Some(name) => {
            Err(resolve::unknown_tag(tag))
        }
        _ => Ok(()),
    }
}

fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Result<Value, DecodeError> {
    match tag {
        Some(tag) => resolve::tagged(text, tag),
        None if style == TScalarStyle::Plain => resolve::plain(text),
        None => Ok(Value::Str(text)),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

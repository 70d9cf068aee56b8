//! Writes JSON as Python's `json.dumps` does: ASCII, `", "` and `": "`.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{float_text, kombu, scan};
use crate::codec::{Sink, walk};
use crate::error::EncodeError;
use crate::value::{Map, Value};

const NAME: &str = "json";

/// Appends JSON to a buffer. Commas come by themselves: an item after anything but an opening
/// bracket gets one.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Opens a map whose entries the caller writes.
    pub(crate) fn open_map(&mut self) {
        self.out.push(b'{');
    }

    /// A text entry.
    pub(crate) fn entry_str(&mut self, key: &str, value: &str) {
        self.key(key);
        self.str(value);
    }

    /// An entry of any value.
    pub(crate) fn entry(&mut self, key: &str, value: &Value) -> Result<(), EncodeError> {
        self.key(key);
        self.value(value).map_err(|error| error.at(key))
    }

    /// Every entry of a map, without its brackets.
    pub(crate) fn entries(&mut self, map: &Map) -> Result<(), EncodeError> {
        map.iter()
            .try_for_each(|(key, value)| self.entry(key, value))
    }

    /// A quoted base64 text straight from its bytes.
    pub(crate) fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        let written = STANDARD.encode_slice(bytes, &mut self.out[start..]);
        self.out
            .truncate(start + written.expect("the room was made to fit the base64 length"));
        self.out.push(b'"');
    }

    /// What is JSON already.
    pub(crate) fn json(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    pub(crate) fn value(&mut self, value: &Value) -> Result<(), EncodeError> {
        walk(value, self)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.typed("bytes", text),
            Err(_) => {
                self.raw("{\"__type__\": \"base64\", \"__value__\": ");
                self.base64(bytes);
                self.out.push(b'}');
            }
        }
    }

    fn typed(&mut self, kind: &str, text: &str) {
        self.open_map();
        self.entry_str(kombu::TYPE, kind);
        self.entry_str(kombu::VALUE, text);
        self.end_map();
    }

    pub(crate) fn str(&mut self, text: &str) {
        self.out.push(b'"');
        let mut rest = text;
        while let Some(at) = scan::first_written(rest.as_bytes()) {
            self.raw(&rest[..at]);
            let mut chars = rest[at..].chars();
            if let Some(special) = chars.next() {
                self.escaped(special);
            }
            rest = chars.as_str();
        }
        self.raw(rest);
        self.out.push(b'"');
    }

    fn escaped(&mut self, special: char) {
        match special {
            '"' => self.raw("\\\""),
            '\\' => self.raw("\\\\"),
            '\n' => self.raw("\\n"),
            '\r' => self.raw("\\r"),
            '\t' => self.raw("\\t"),
            '\u{8}' => self.raw("\\b"),
            '\u{c}' => self.raw("\\f"),
            other => {
                let mut units = [0_u16; 2];
                for unit in other.encode_utf16(&mut units) {
                    self.display(format_args!("\\u{unit:04x}"));
                }
            }
        }
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        write!(self.out, "{value}").expect("writing to a Vec never fails");
    }
}

impl Sink for Writer {
    fn scalar(&mut self, value: &Value) -> Result<(), EncodeError> {
        match value {
            Value::Bool(true) => self.raw("true"),
            Value::Bool(false) => self.raw("false"),
            Value::Int(value) => self.display(value),
            Value::BigInt(value) => self.raw(value.as_str()),
            Value::Float(value) => self.raw(&float_text(*value)),
            Value::Str(text) => self.str(text),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::DateTime(value) => self.typed("datetime", value.as_str()),
            Value::Date(value) => self.typed("date", value.as_str()),
            Value::Time(value) => self.typed("time", value.as_str()),
            Value::Decimal(value) => self.typed("decimal", value.as_str()),
            Value::Uuid(value) => {
                let hex = value.simple();
                self.display(format_args!(
                    "{{\"__type__\": \"uuid\", \"__value__\": {{\"hex\": \"{hex}\"}}}}"
                ));
            }
            _ => self.raw("null"),
        }
        Ok(())
    }

    fn begin_list(&mut self, _len: usize) -> Result<(), EncodeError> {
        self.out.push(b'[');
        Ok(())
    }

    fn next_item(&mut self) {
        self.out.extend_from_slice(b", ");
    }

    fn end_list(&mut self) {
        self.out.push(b']');
    }

    fn begin_map(&mut self, map: &Map) -> Result<(), EncodeError> {
        if kombu::is_marker(map) {
            let what = "a map whose only keys are __type__ and __value__: it would be read as a typed value";
            return Err(EncodeError::unrepresentable(NAME, what));
        }
        self.open_map();
        Ok(())
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.extend_from_slice(b", ");
        }
        self.str(key);
        self.out.extend_from_slice(b": ");
    }

    fn end_map(&mut self) {
        self.out.push(b'}');
    }
}

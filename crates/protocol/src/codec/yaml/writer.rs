//! Writes YAML in its flow style, which is close to JSON: every text is quoted, so that no reader
//! of YAML 1.1 or 1.2 takes it for something else.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{DEPTH, NAME, resolve};
use crate::codec::walk::{Sink, walk};
use crate::error::EncodeError;
use crate::json::float_text;
use crate::value::{Map, Value};

/// Longest key a reader must accept without the explicit form.
const SIMPLE_KEY: usize = 1_000;

pub(crate) fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer(String::new());
    walk(value, &mut writer)?;
    writer.0.push('\n');
    Ok(writer.0.into_bytes())
}

struct Writer(String);

impl Sink for Writer {
    const DEPTH: usize = DEPTH;

    fn scalar(&mut self, value: &Value) -> Result<(), EncodeError> {
        let out = &mut self.0;
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => out.push_str(&value.to_string()),
            Value::BigInt(value) => out.push_str(value.as_str()),
            Value::Float(value) => out.push_str(&float(*value)),
            Value::Str(text) => quoted(out, text),
            Value::Bytes(bytes) => {
                out.push_str("!!binary \"");
                STANDARD.encode_string(bytes, out);
                out.push('"');
            }
            Value::DateTime(value) => plain(out, value.as_str(), "a datetime of this form")?,
            Value::Date(value) => plain(out, value.as_str(), "a date of this form")?,
            other => return Err(EncodeError::unrepresentable(NAME, other.type_name())),
        }
        Ok(())
    }

    fn begin_list(&mut self, _len: usize) -> Result<(), EncodeError> {
        self.0.push('[');
        Ok(())
    }

    fn next_item(&mut self) {
        self.0.push_str(", ");
    }

    fn end_list(&mut self) {
        self.0.push(']');
    }

    fn begin_map(&mut self, _map: &Map) -> Result<(), EncodeError> {
        self.0.push('{');
        Ok(())
    }

    fn key(&mut self, key: &str) {
        if !self.0.ends_with('{') {
            self.0.push_str(", ");
        }
        let start = self.0.len();
        quoted(&mut self.0, key);
        if self.0.len() - start > SIMPLE_KEY {
            self.0.insert_str(start, "? ");
        }
        self.0.push_str(": ");
    }

    fn end_map(&mut self) {
        self.0.push('}');
    }
}

/// A time without quotes, if readers will take it for one.
fn plain(out: &mut String, text: &str, what: &str) -> Result<(), EncodeError> {
    match resolve::plain(text.to_owned()) {
        Ok(Value::DateTime(read)) if read.as_str() == text => out.push_str(text),
        Ok(Value::Date(read)) if read.as_str() == text => out.push_str(text),
        _ => return Err(EncodeError::unrepresentable(NAME, what)),
    }
    Ok(())
}

/// A float with a point, without which YAML 1.1 takes an exponent for text.
fn float(value: f64) -> String {
    let text = float_text(value);
    match (text.as_str(), text.split_once('e')) {
        ("NaN", _) => ".nan".to_owned(),
        ("Infinity", _) => ".inf".to_owned(),
        ("-Infinity", _) => "-.inf".to_owned(),
        (_, Some((mantissa, exponent))) if !mantissa.contains('.') => {
            format!("{mantissa}.0e{exponent}")
        }
        _ => text,
    }
}

/// A text in double quotes and ASCII.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(letter),
            other => {
                let written = match u32::from(other) {
                    code @ 0x1_0000.. => write!(out, "\\U{code:08X}"),
                    code => write!(out, "\\u{code:04X}"),
                };
                written.expect("writing to a String never fails");
            }
        }
    }
    out.push('"');
}

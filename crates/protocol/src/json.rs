//! Python's JSON: reading and writing it exactly, kombu's typed values included.
//!
//! Wider than plain JSON (NaN, infinities, integers of any size) and stricter than Python
//! (duplicate keys and lone surrogates are refused, since carrying them on would change them).

mod kombu;
mod number;
mod reader;
mod scan;
mod skip;
mod span;
mod text;
mod writer;

pub(crate) use kombu::typed;
pub(crate) use number::float_text;
pub(crate) use reader::Reader;
pub(crate) use span::{Places, list_in_third};
pub(crate) use writer::Writer;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::limits::Limits;
use crate::value::Value;

/// Room for most of what is written, in bytes.
pub(crate) const USUAL: usize = 256;

/// Reads one JSON document.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let mut reader = Reader::new(bytes, limits)?;
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// Writes one JSON document, in ASCII, spaced as Python's default.
pub(crate) fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer::with_capacity(USUAL);
    writer.value(value)?;
    Ok(writer.into_bytes())
}

/// A syntax fault at a byte offset.
fn syntax(detail: &str, offset: usize) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Syntax,
        format!("{detail} at byte {offset} of the JSON"),
    )
}

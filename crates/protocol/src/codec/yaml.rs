//! YAML: read with a YAML parser, written as JSON text.

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::json;
use crate::limits::Limits;
use crate::value::Value;

/// JSON is YAML, and unlike plain YAML it reads the same in versions 1.1 and 1.2.
pub(super) fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    json::encode(value)
}

pub(super) fn decode(bytes: &[u8], _limits: &Limits) -> Result<Value, DecodeError> {
    yaml_serde::from_slice(bytes)
        .map_err(|error| DecodeError::new(DecodeErrorKind::Syntax, format!("bad YAML: {error}")))
}

//! YAML as PyYAML's safe loader and dumper speak it, which is YAML 1.1.

mod reader;
mod resolve;
mod writer;

pub(super) use reader::decode;
pub(super) use writer::encode;

use crate::error::{DecodeError, DecodeErrorKind};

const NAME: &str = "yaml";

/// The deepest nesting the parser reads.
const DEPTH: usize = 255;

fn syntax(detail: impl Into<String>) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Syntax, detail)
}

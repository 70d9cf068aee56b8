//! Whether files have changed: their sizes and times as validators.

use std::fmt::Write as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::model::Validators;

/// The validators of these files together; a missing one counts as such.
pub(super) fn stamp(files: &[&Path]) -> Validators {
    let mut text = String::new();
    for file in files {
        let facts = std::fs::metadata(file).ok();
        let time = facts.as_ref().and_then(|facts| facts.modified().ok());
        let nanos = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let size = facts.map_or(0, |facts| facts.len());
        write!(text, "{size:x}-{:x};", nanos.unwrap_or_default().as_nanos())
            .expect("writing to a string does not fail");
    }
    Validators {
        etag: Some(text),
        last_modified: None,
    }
}

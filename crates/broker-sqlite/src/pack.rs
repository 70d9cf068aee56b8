//! Many rows in one statement: the values as one JSON array for `json_each`, the bytes beside it as one blob.
//!
//! So a batch of any size is one prepared statement of fixed text, and bytes need no encoding.

use serde::Serialize;

use crate::error::Result;

/// Rows on their way into one statement. Each row is the caller's columns and the place of its bytes in the blob:
/// `[columns, offset, length]`, with the offset from 1 as SQLite's `substr` counts.
#[derive(Debug)]
pub(crate) struct Pack<Row> {
    rows: Vec<(Row, usize, usize)>,
    blob: Vec<u8>,
}

impl<Row: Serialize> Pack<Row> {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            blob: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: Row, bytes: &[u8]) {
        self.rows.push((row, self.blob.len() + 1, bytes.len()));
        self.blob.extend_from_slice(bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The size of the blob.
    pub(crate) fn bytes(&self) -> usize {
        self.blob.len()
    }

    /// The JSON array and the blob.
    pub(crate) fn into_parts(self) -> Result<(String, Vec<u8>)> {
        Ok((serde_json::to_string(&self.rows)?, self.blob))
    }
}

/// A JSON array of plain values for `json_each`.
pub(crate) fn json<T: Serialize + ?Sized>(values: &T) -> Result<String> {
    Ok(serde_json::to_string(values)?)
}

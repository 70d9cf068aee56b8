//! Where the text of a CSV file comes from: a file that is read as it is needed, or bytes that are there already.

use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use jiff::Timestamp;

use super::Source;
use super::table::problem;
use crate::error::{Error, Result};

/// How much of a file's beginning is looked at to tell its encoding.
const HEAD: usize = 64;

/// A file to be imported, of any size: no more of it is in memory than a few rows.
pub struct Input<'s> {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) now: Timestamp,
    pub(super) reader: Box<dyn Read + Send + 's>,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Input");
        shown.field("name", &self.name).field("size", &self.size);
        shown.finish_non_exhaustive()
    }
}

impl Input<'static> {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path, now: Timestamp) -> Result<Input<'static>> {
        let failed = |source| Error::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        if facts.is_dir() {
            return Err(failed(ErrorKind::IsADirectory.into()));
        }
        Ok(Input {
            name: path.display().to_string(),
            size: facts.len(),
            now,
            reader: Box::new(BufReader::new(file)),
        })
    }
}

impl<'s> From<Source<'s>> for Input<'s> {
    fn from(source: Source<'s>) -> Input<'s> {
        Input {
            name: source.name.to_owned(),
            size: source.bytes.len() as u64,
            now: source.now,
            reader: Box::new(source.bytes),
        }
    }
}

impl<'s> Input<'s> {
    /// The text behind UTF-8's own mark; files in other encodings are refused.
    pub(super) fn text(self) -> Result<Box<dyn Read + Send + 's>> {
        let Input {
            name, mut reader, ..
        } = self;
        let mut head = Vec::with_capacity(HEAD);
        let read = reader.by_ref().take(HEAD as u64).read_to_end(&mut head);
        read.map_err(|error| problem(&name, &format!("it cannot be read: {error}")))?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || head.contains(&0) {
            return Err(problem(
                &name,
                "the file is not UTF-8 text (UTF-16 or binary?): save it as CSV in UTF-8",
            ));
        }
        if head.starts_with(&[0xef, 0xbb, 0xbf]) {
            head.drain(..3);
        }
        Ok(Box::new(Cursor::new(head).chain(reader)))
    }
}

//! A CSV file as a table with named columns, every bound kept.

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::cells::Cells;
use super::{BadRow, ImportReport, OnProgress, Source};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// A line may not be longer than this.
const LINE_LIMIT: usize = 64 * 1024;
/// Progress is told once for this many rows.
const PROGRESS_ROWS: u64 = 1000;

/// What a kind of file must and may have as columns.
pub(super) struct Columns {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
    /// True when other columns are data too.
    pub(super) open: bool,
}

/// Calls `row` for each data row; what it refuses is listed in the report.
pub(super) fn read(
    source: Source<'_>,
    columns: &Columns,
    progress: OnProgress<'_>,
    mut row: impl FnMut(&Cells<'_>) -> Result<(), BadRow>,
) -> Result<ImportReport> {
    let bytes = without_mark(source)?;
    let limited = LineLimit {
        inner: bytes,
        line: 0,
    };
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .from_reader(limited);
    let header = reader
        .byte_headers()
        .map_err(|error| unreadable(source.name, &error))?
        .clone();
    let names = names(source.name, &header, columns)?;
    let mut report = ImportReport::default();
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| unreadable(source.name, &error))?
    {
        report.rows += 1;
        let position = record
            .position()
            .map_or((0, 0), |position| (position.line(), position.byte()));
        if report.rows.is_multiple_of(PROGRESS_ROWS) {
            progress(Progress {
                phase: "read",
                current: position.1,
                total: bytes.len() as u64,
            });
        }
        if let Err(bad) = Cells::new(&names, &record, position.0).and_then(|cells| row(&cells)) {
            report.refuse(bad);
        }
    }
    progress(Progress {
        phase: "read",
        current: bytes.len() as u64,
        total: bytes.len() as u64,
    });
    Ok(report)
}

/// UTF-8's own mark is skipped; files in other encodings are refused.
fn without_mark<'s>(source: Source<'s>) -> Result<&'s [u8]> {
    let bytes = source.bytes;
    if bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || bytes.iter().take(64).any(|byte| *byte == 0)
    {
        return Err(problem(
            source.name,
            "the file is not UTF-8 text (UTF-16 or binary?): save it as CSV in UTF-8",
        ));
    }
    Ok(bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes))
}

fn names(file: &str, header: &ByteRecord, columns: &Columns) -> Result<Vec<String>> {
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).to_lowercase())
        .collect();
    if let Some(missing) = columns
        .required
        .iter()
        .find(|name| !names.iter().any(|found| found == *name))
    {
        return Err(problem(
            file,
            &format!(
                "column {missing} is missing: the first line must name {}",
                columns.required.join(", ")
            ),
        ));
    }
    let known = |name: &str| columns.required.contains(&name) || columns.optional.contains(&name);
    if let Some(unknown) = names.iter().find(|name| !columns.open && !known(name)) {
        let all: Vec<&str> = columns
            .required
            .iter()
            .chain(columns.optional)
            .copied()
            .collect();
        return Err(problem(
            file,
            &format!("column {unknown:?} is unknown: use {}", all.join(", ")),
        ));
    }
    let mut sorted = names.clone();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(problem(
            file,
            &format!("column {:?} is named twice", twice[0]),
        ));
    }
    Ok(names)
}

pub(super) fn problem(file: &str, text: &str) -> Error {
    Error::Import {
        name: file.to_owned(),
        problem: text.to_owned(),
    }
}

fn unreadable(file: &str, error: &csv::Error) -> Error {
    problem(file, &error.to_string())
}

/// Stops at a line that does not end, instead of reading it into memory.
struct LineLimit<'b> {
    inner: &'b [u8],
    line: usize,
}

impl Read for LineLimit<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        for byte in &buffer[..size] {
            self.line = if *byte == b'\n' { 0 } else { self.line + 1 };
            if self.line > LINE_LIMIT {
                return Err(io::Error::other(format!(
                    "a line is longer than {LINE_LIMIT} bytes: is this a CSV file?"
                )));
            }
        }
        Ok(size)
    }
}

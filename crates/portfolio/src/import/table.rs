//! A CSV file as a table with named columns, every bound kept.

use std::io::{self, Read};

use csv::{ByteRecord, Position, ReaderBuilder, Trim};

use super::cells::Cells;
use super::{BadRow, ImportReport, Input, OnProgress, Source};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// A row may not be longer than this.
const RECORD_LIMIT: usize = 64 * 1024;
/// Progress is told once for this many rows.
const PROGRESS_ROWS: u64 = 1000;

/// What a kind of file must and may have as columns.
pub(super) struct Columns {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
    /// True when other columns are data too.
    pub(super) open: bool,
}

/// A file that is read row by row, with what has been counted of it.
pub(super) struct Table<'s> {
    name: String,
    size: u64,
    names: Vec<String>,
    reader: csv::Reader<RecordLimit<'s>>,
    record: ByteRecord,
    /// What was read and refused so far.
    pub(super) report: ImportReport,
}

impl<'s> Table<'s> {
    /// Reads the header.
    pub(super) fn open(input: Input<'s>, columns: &Columns) -> Result<Table<'s>> {
        let (name, size) = (input.name.clone(), input.size);
        let limited = RecordLimit {
            inner: input.text()?,
            unended: 0,
            last: 0,
            at_end: false,
        };
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .trim(Trim::All)
            .from_reader(limited);
        let header = reader
            .byte_headers()
            .map_err(|error| unreadable(&name, &error))?
            .clone();
        Ok(Table {
            names: names(&name, &header, columns)?,
            name,
            size,
            reader,
            record: ByteRecord::new(),
            report: ImportReport::default(),
        })
    }

    /// What `row` makes of the next row that it does not refuse; `None` at the end.
    pub(super) fn next<T>(
        &mut self,
        row: &mut impl FnMut(&Cells<'_>) -> Result<T, BadRow>,
    ) -> Result<Option<T>> {
        loop {
            self.reader.get_mut().unended = 0;
            let read = self.reader.read_byte_record(&mut self.record);
            if !read.map_err(|error| unreadable(&self.name, &error))? {
                return Ok(None);
            }
            self.report.rows += 1;
            let line = self.record.position().map_or(0, Position::line);
            let whole = self.whole(line)?;
            let cells = whole.and_then(|()| Cells::new(&self.names, &self.record, line));
            match cells.and_then(|cells| row(&cells)) {
                Ok(found) => return Ok(Some(found)),
                Err(bad) => self.report.refuse(bad),
            }
        }
    }

    /// Whether the row is all there. A row that no line end closes may be one of a file that was cut off: what is left of
    /// its last cell must not be taken for the whole.
    fn whole(&self, line: u64) -> Result<Result<(), BadRow>> {
        let end = self.reader.get_ref();
        if !end.at_end {
            return Ok(Ok(()));
        }
        if matches!(end.last, b'\n' | b'\r') {
            let open = format!("a quote in the row that begins in line {line} is never closed");
            return Err(problem(&self.name, &open));
        }
        if self.record.len() == self.names.len() {
            return Ok(Ok(()));
        }
        Ok(Err(BadRow {
            line,
            field: "row".to_owned(),
            value: String::new(),
            rule: "the file ends in the middle of this row: is all of it there?".to_owned(),
        }))
    }

    /// How much of the file has been read.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            phase: "import",
            current: self.reader.position().byte().min(self.size),
            total: self.size,
        }
    }

    /// All of it has been read.
    pub(super) fn finish(self, progress: OnProgress<'_>) -> ImportReport {
        progress(Progress {
            phase: "import",
            current: self.size,
            total: self.size,
        });
        self.report
    }
}

/// Calls `row` for each data row; what it refuses is listed in the report.
pub(super) fn read(
    source: Source<'_>,
    columns: &Columns,
    progress: OnProgress<'_>,
    mut row: impl FnMut(&Cells<'_>) -> Result<(), BadRow>,
) -> Result<ImportReport> {
    let mut table = Table::open(source.into(), columns)?;
    while table.next(&mut row)?.is_some() {
        if table.report.rows.is_multiple_of(PROGRESS_ROWS) {
            progress(table.progress());
        }
    }
    Ok(table.finish(progress))
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

/// Stops at a row that does not end (an endless line, a quote that nobody closes) instead of reading it into memory.
struct RecordLimit<'s> {
    inner: Box<dyn Read + Send + 's>,
    /// Bytes read since the last row was complete.
    unended: usize,
    /// The last byte that was read.
    last: u8,
    /// Whether there is nothing more. Known before a row is complete only when nothing but the file's end closes it.
    at_end: bool,
}

impl Read for RecordLimit<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unended > RECORD_LIMIT {
            return Err(io::Error::other(format!(
                "a row is longer than {RECORD_LIMIT} bytes: is this a CSV file, and is every quote closed?"
            )));
        }
        let size = self.inner.read(buffer)?;
        self.unended += size;
        match buffer[..size].last() {
            Some(last) => self.last = *last,
            None => self.at_end = true,
        }
        Ok(size)
    }
}

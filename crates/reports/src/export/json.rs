//! The export as JSON, `export/1`: sections with their rows, empty fields left out.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use portfolio::money::Currency;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::ser::PrettyFormatter;

use super::collect::DateRange;
use super::row::{COLUMNS, Row, Section};
use crate::error::{Error, Result};

/// What stands above the sections.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Whose data it is.
    pub user_id: i64,
    /// The user's currency; each portfolio has its own.
    pub base_currency: Currency,
    /// The days.
    pub range: DateRange,
}

/// Writes everything; returns how many rows.
///
/// # Errors
/// When the output cannot be written.
pub fn write_json<'s>(
    output: impl Write,
    header: Header,
    rows: impl Iterator<Item = Row<'s>>,
) -> Result<u64> {
    let mut sections: BTreeMap<Section, Vec<Line<'s>>> = BTreeMap::new();
    let mut count = 0;
    for row in rows {
        sections.entry(row.section).or_default().push(Line(row));
        count += 1;
    }
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let formatter = PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut output, formatter);
    let written = Export { header, sections }.serialize(&mut serializer);
    written.map_err(|error| Error::Write(error.into()))?;
    output
        .write_all(b"\n")
        .and_then(|()| output.flush())
        .map_err(Error::Write)?;
    Ok(count)
}

struct Export<'s> {
    header: Header,
    sections: BTreeMap<Section, Vec<Line<'s>>>,
}

impl Serialize for Export<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DateRange { start, end } = self.header.range;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", "export/1")?;
        map.serialize_entry("user_id", &self.header.user_id)?;
        map.serialize_entry("base_currency", &self.header.base_currency)?;
        map.serialize_entry("date_range", &Days { start, end })?;
        map.serialize_entry("sections", &Sections(&self.sections))?;
        map.end()
    }
}

#[derive(Serialize)]
struct Days {
    start: jiff::civil::Date,
    end: jiff::civil::Date,
}

struct Sections<'e, 's>(&'e BTreeMap<Section, Vec<Line<'s>>>);

impl Serialize for Sections<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(section, rows)| (section.as_str(), rows)),
        )
    }
}

/// A row without its section and its empty fields.
struct Line<'s>(Row<'s>);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.0.cells();
        let fields = COLUMNS.iter().zip(&cells).skip(1);
        serializer.collect_map(fields.filter(|(_, cell)| !cell.is_empty()))
    }
}

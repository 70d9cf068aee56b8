//! CSV as RFC 4180: CRLF, UTF-8, no byte-order mark. A text that a spreadsheet would take for a formula gets an apostrophe.

use std::borrow::Cow;
use std::io::{BufWriter, Write};

use csv::{Terminator, WriterBuilder};

use super::row::{COLUMNS, Row};
use crate::error::{Error, Result};

/// Where a spreadsheet would see a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// The columns that people fill with words.
const TEXTS: [&str; 4] = ["portfolio", "symbol", "type", "note"];

/// Writes the header and all rows as they come; returns how many rows.
///
/// # Errors
/// When the output cannot be written.
pub fn write_csv<'s>(output: impl Write, rows: impl Iterator<Item = Row<'s>>) -> Result<u64> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(BufWriter::with_capacity(1 << 16, output));
    writer.write_record(COLUMNS).map_err(failed)?;
    let mut count = 0;
    for row in rows {
        let cells = row.cells();
        let guarded = COLUMNS
            .iter()
            .zip(&cells)
            .map(|(column, cell)| guard(column, cell));
        for cell in guarded {
            writer.write_field(cell.as_bytes()).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
        count += 1;
    }
    writer.flush().map_err(Error::Write)?;
    Ok(count)
}

fn guard<'c>(column: &str, cell: &'c str) -> Cow<'c, str> {
    if TEXTS.contains(&column) {
        guarded(cell)
    } else {
        Cow::Borrowed(cell)
    }
}

/// A text as no spreadsheet takes it for a formula.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The crate's own conversion would lose what kind of error it is, and with it a full disk.
fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::Write(error),
        other => Error::Write(std::io::Error::other(format!("{other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Section;

    #[test]
    fn formulas_are_guarded_in_texts_only() {
        let date = jiff::civil::date(2024, 5, 31);
        let mut row = Row::new(Section::Transaction, date, "=cmd()", "USD".parse().unwrap());
        row.amount = Some("-5".parse().unwrap());
        row.note = Cow::Borrowed("+1, \"quoted\"\nsecond line");
        let mut output = Vec::new();
        assert_eq!(write_csv(&mut output, [row].into_iter()).unwrap(), 1);
        let text = String::from_utf8(output).unwrap();
        let line = text.split_once("\r\n").unwrap().1;
        assert_eq!(
            line,
            "transaction,2024-05-31,'=cmd(),,,,,USD,-5,,,,,,\"'+1, \"\"quoted\"\"\nsecond line\"\r\n"
        );
    }
}

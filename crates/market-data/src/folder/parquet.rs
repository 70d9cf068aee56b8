//! Parquet files of daily bars, with the columns of the CSV files. Decimals are read exactly, floats by their shortest text.

use std::fs::File;
use std::path::Path;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use parquet::file::reader::SerializedFileReader;
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use portfolio::decimal::Decimal;
use portfolio::store::PriceRow;

use super::NAME;
use crate::clean::{Cleaner, RawBar};
use crate::error::{Error, Result};
use crate::model::Window;
use crate::number;

/// Largest file that is read.
const FILE_LIMIT: u64 = 1 << 30;

/// A file's days within the window, and how many rows could not be used.
pub(super) fn bars(path: &Path, window: Window) -> Result<(Vec<PriceRow>, usize)> {
    let wrong =
        |problem: String| Error::bad_payload(NAME, format!("{}: {problem}", path.display()));
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    if file.metadata().is_ok_and(|facts| facts.len() > FILE_LIMIT) {
        return Err(wrong("the file is larger than 1 GiB: split it".to_owned()));
    }
    let reader = SerializedFileReader::new(file).map_err(|error| wrong(error.to_string()))?;
    let mut cleaner = Cleaner::new(window);
    for row in RowIter::from_file_into(Box::new(reader)) {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        cleaner.bar(bar(&row).map_err(wrong)?);
    }
    let daily = cleaner.finish(false);
    Ok((daily.bars, daily.dropped))
}

fn bar(row: &Row) -> Result<RawBar, String> {
    let date = column(row, "date").and_then(date);
    let number = |name: &str| column(row, name).map_or(Ok(None), number);
    Ok(RawBar {
        date: date.ok_or("column date is missing, or holds no day")?,
        open: number("open")?,
        high: number("high")?,
        low: number("low")?,
        close: number("close")?,
        volume: number("volume")?,
    })
}

fn column<'r>(row: &'r Row, name: &str) -> Option<&'r Field> {
    let mut columns = row.get_column_iter();
    let found = columns.find(|(column, _)| column.eq_ignore_ascii_case(name));
    found.map(|(_, field)| field)
}

fn date(field: &Field) -> Option<Date> {
    let day = |time: Option<Timestamp>| Some(time?.to_zoned(TimeZone::UTC).date());
    match field {
        Field::Date(days) => Date::constant(1970, 1, 1).checked_add(days.days()).ok(),
        Field::TimestampMillis(millis) => day(Timestamp::from_millisecond(*millis).ok()),
        Field::TimestampMicros(micros) => day(Timestamp::from_microsecond(*micros).ok()),
        Field::Str(text) => text.get(..10)?.parse().ok(),
        _ => None,
    }
}

fn number(field: &Field) -> Result<Option<Decimal>, String> {
    let text = match field {
        Field::Null => return Ok(None),
        Field::Str(text) => text.clone(),
        Field::Double(value) => value.to_string(),
        Field::Float(value) => value.to_string(),
        other => other.to_string(),
    };
    number::decimal(&text).map_err(|_| format!("{text:?} is not a number"))
}

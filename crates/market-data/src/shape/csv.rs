//! CSV over HTTP, as Stooq sends it: `Date,Open,High,Low,Close,Volume`, adjusted for splits and dividends.

use std::time::Duration;

use ::csv::{ReaderBuilder, StringRecord};
use portfolio::decimal::Decimal;

use super::Refusal;
use super::fields::day;
use crate::clean::{Cleaner, RawBar};
use crate::model::{Daily, Window};
use crate::number;

const HEADER: [&str; 5] = ["date", "open", "high", "low", "close"];

/// Reads the table. Two sentences stand in its place, with status 200: that the quota is used up, and that there is no data.
pub(super) fn daily(body: &str, window: Window, quota_wait: Duration) -> Result<Daily, Refusal> {
    let text = body.trim_start_matches('\u{feff}').trim();
    let start: String = text.chars().take(60).collect();
    if start.to_ascii_lowercase().contains("hits limit") {
        return Err(Refusal::Quota(start, quota_wait));
    }
    if start.eq_ignore_ascii_case("no data") {
        return Err(Refusal::NotFound);
    }
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?;
    let names: Vec<String> = header.iter().map(str::to_ascii_lowercase).collect();
    if !HEADER.iter().zip(&names).all(|(due, name)| due == name) || names.len() < HEADER.len() {
        return Err(Refusal::Bad(format!("not a table of days: {start}")));
    }
    let mut cleaner = Cleaner::new(window);
    for record in reader.into_records() {
        cleaner.bar(bar(&record.map_err(|error| error.to_string())?)?);
    }
    Ok(cleaner.finish(true))
}

fn bar(record: &StringRecord) -> Result<RawBar, String> {
    let cell = |column: usize| record.get(column).unwrap_or_default();
    let number = |column: usize| -> Result<Option<Decimal>, String> {
        let text = cell(column);
        number::decimal(text).map_err(|_| format!("{text:?} is not a number"))
    };
    Ok(RawBar {
        date: day(cell(0)).ok_or_else(|| format!("{:?} is not a day", cell(0)))?,
        open: number(1)?,
        high: number(2)?,
        low: number(3)?,
        close: number(4)?,
        volume: number(5)?,
    })
}

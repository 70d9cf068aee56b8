//! JSON with one object for each day.

use portfolio::decimal::Decimal;

use super::Refusal;
use super::fields::{Fields, RowFields, day};
use crate::clean::{Cleaner, RawBar};
use crate::json::{Json, Problem};
use crate::model::{Daily, Window};

/// Reads a list of days, or an object whose keys are the days.
pub(super) fn daily(document: Json<'_>, fields: &Fields, window: Window) -> Result<Daily, Refusal> {
    let fields = &fields.daily;
    let mut cleaner = Cleaner::new(window);
    for (key, row) in rows(document, fields)? {
        let text = match key {
            Some(key) => key,
            None => row.text_at(&fields.date).unwrap_or_default(),
        };
        let date = day(&text).ok_or_else(|| format!("{text:?} is not a day"))?;
        // Outside the window rows are not even read.
        if !window.contains(date) {
            continue;
        }
        let number = |path: &str| row.decimal_at(path);
        cleaner.bar(RawBar {
            date,
            open: number(&fields.open)?,
            high: number(&fields.high)?,
            low: number(&fields.low)?,
            close: number(&fields.close)?,
            volume: number(&fields.volume)?,
        });
        cleaner.split(date, number(&fields.split)?.unwrap_or(Decimal::ONE));
        cleaner.dividend(date, number(&fields.dividend)?.unwrap_or_default());
    }
    Ok(cleaner.finish(fields.adjusted))
}

/// Each row, with its key where rows have keys.
fn rows<'d>(
    document: Json<'d>,
    fields: &RowFields,
) -> Result<Vec<(Option<String>, Json<'d>)>, Problem> {
    let place = document.at(&fields.rows);
    let place = place.ok_or_else(|| format!("nothing at {:?}", fields.rows))?;
    if fields.date.is_empty() {
        let entries = place.entries().ok_or("not an object of days")?;
        let keyed = entries.into_iter().map(|(key, row)| (Some(key), row));
        return Ok(keyed.collect());
    }
    let items = place.items().ok_or("not a list of days")?;
    Ok(items.into_iter().map(|row| (None, row)).collect())
}

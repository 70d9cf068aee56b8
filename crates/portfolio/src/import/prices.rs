//! Daily prices of one asset: `date,open,high,low,close,volume`, as traded.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::cells::Cells;
use super::table::{Columns, Table, read};
use super::{BATCH, BadRow, ImportReport, Input, OnProgress, Source};
use crate::error::Result;
use crate::store::{PriceRow, Store};

const COLUMNS: Columns = Columns {
    required: &["date", "close"],
    optional: &["open", "high", "low", "volume"],
    open: false,
};

/// Which asset the prices are of, and who made them.
#[derive(Clone, Copy, Debug)]
pub struct PriceImport<'a> {
    /// The asset.
    pub asset_id: i64,
    /// Recorded with each row, such as `csv`.
    pub source: &'a str,
}

/// Reads the days that `keep` wants, in their order. Zero, negative and non-numeric prices are refused; a high below the
/// low keeps the close alone; of a day twice the last row counts.
pub fn read_prices(
    file: Source<'_>,
    keep: impl Fn(Date) -> bool,
    progress: OnProgress<'_>,
) -> Result<(Vec<PriceRow>, ImportReport)> {
    let mut rows: BTreeMap<Date, PriceRow> = BTreeMap::new();
    let report = read(file, &COLUMNS, progress, |cells| {
        if keep(cells.date("date")?) {
            let row = price(cells)?;
            rows.insert(row.date, row);
        }
        Ok(())
    })?;
    Ok((rows.into_values().collect(), report))
}

/// Imports prices by the rules of [`read_prices`]. A corrected price replaces the old one.
///
/// # Errors
/// A file that is not such a table, or a database error; then nothing was stored.
pub async fn import_prices<'s>(
    store: &Store,
    file: impl Into<Input<'s>>,
    import: PriceImport<'_>,
    progress: OnProgress<'_>,
) -> Result<ImportReport> {
    let input = file.into();
    let now = input.now;
    let mut table = Table::open(input, &COLUMNS)?;
    let mut tx = store.begin().await?;
    loop {
        let rows = batch(&mut table)?;
        if rows.is_empty() {
            break;
        }
        let put = store.put_prices(&mut tx, import.asset_id, &rows, false, import.source, now);
        let written = put.await?;
        table.report.stored(written);
        progress(table.progress());
    }
    store.commit(tx).await?;
    Ok(table.finish(progress))
}

/// The next days, each once.
fn batch(table: &mut Table<'_>) -> Result<Vec<PriceRow>> {
    let mut rows: BTreeMap<Date, PriceRow> = BTreeMap::new();
    while rows.len() < BATCH
        && let Some(row) = table.next(&mut price)?
    {
        rows.insert(row.date, row);
    }
    Ok(rows.into_values().collect())
}

fn price(cells: &Cells<'_>) -> Result<PriceRow, BadRow> {
    let mut row = PriceRow {
        date: cells.date("date")?,
        open: cells.optional_positive("open")?,
        high: cells.optional_positive("high")?,
        low: cells.optional_positive("low")?,
        close: cells.positive("close")?,
        volume: volume(cells)?,
    };
    if row.high.zip(row.low).is_some_and(|(high, low)| high < low) {
        (row.open, row.high, row.low) = (None, None, None);
    }
    Ok(row)
}

fn volume(cells: &Cells<'_>) -> Result<Option<i64>, BadRow> {
    let volume: Option<i64> = cells
        .optional("volume")
        .map_err(|_| cells.bad("volume", "must be a whole number"))?;
    if volume.is_some_and(|volume| volume < 0) {
        Err(cells.bad("volume", "must not be negative"))
    } else {
        Ok(volume)
    }
}

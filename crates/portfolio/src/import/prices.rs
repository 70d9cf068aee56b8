//! Daily prices of one asset: `date,open,high,low,close,volume`, as traded.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::cells::Cells;
use super::table::{Columns, read};
use super::{BATCH, BadRow, ImportReport, OnProgress, Source};
use crate::error::Result;
use crate::progress::Progress;
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
pub async fn import_prices(
    store: &Store,
    file: Source<'_>,
    import: PriceImport<'_>,
    progress: OnProgress<'_>,
) -> Result<ImportReport> {
    let (rows, mut report) = read_prices(file, |_| true, progress)?;
    let mut tx = store.begin().await?;
    for (index, batch) in rows.chunks(BATCH).enumerate() {
        report.stored(
            store
                .put_prices(
                    &mut tx,
                    import.asset_id,
                    batch,
                    false,
                    import.source,
                    file.now,
                )
                .await?,
        );
        progress(Progress {
            phase: "store",
            current: (index * BATCH + batch.len()) as u64,
            total: rows.len() as u64,
        });
    }
    store.commit(tx).await?;
    Ok(report)
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

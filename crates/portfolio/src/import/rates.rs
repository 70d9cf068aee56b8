//! Exchange rates in the European Central Bank's format: `date` and one column for each currency, units per euro.

use super::cells::Cells;
use super::table::{Columns, problem, read};
use super::{BATCH, BadRow, ImportReport, OnProgress, Source};
use crate::error::Result;
use crate::money::Currency;
use crate::progress::Progress;
use crate::store::{RateRow, Store};

const COLUMNS: Columns = Columns {
    required: &["date"],
    optional: &[],
    open: true,
};

/// Reads rates. Empty cells (and `N/A`) are days without a rate.
pub fn read_rates(
    file: Source<'_>,
    progress: OnProgress<'_>,
) -> Result<(Vec<RateRow>, ImportReport)> {
    let mut rates = Vec::new();
    let report = read(file, &COLUMNS, progress, |cells| row(cells, &mut rates))?;
    Ok((rates, report))
}

/// Imports rates by the rules of [`read_rates`]. The report counts single rates, not lines.
pub async fn import_rates(
    store: &Store,
    file: Source<'_>,
    source: &str,
    progress: OnProgress<'_>,
) -> Result<ImportReport> {
    let (rates, mut report) = read_rates(file, progress)?;
    if report.bad > 0 && rates.is_empty() {
        return Err(problem(
            file.name,
            &format!("no row could be read; the first: {}", report.bad_rows[0]),
        ));
    }
    report.rows = rates.len() as u64 + report.bad;
    let mut tx = store.begin().await?;
    for (index, batch) in rates.chunks(BATCH).enumerate() {
        report.stored(store.put_rates(&mut tx, batch, source).await?);
        progress(Progress {
            phase: "store",
            current: (index * BATCH + batch.len()) as u64,
            total: rates.len() as u64,
        });
    }
    store.commit(tx).await?;
    Ok(report)
}

fn row(cells: &Cells<'_>, rates: &mut Vec<RateRow>) -> Result<(), BadRow> {
    let date = cells.date("date")?;
    let mut found = Vec::new();
    let quoted =
        |(name, value): &(&str, &str)| *name != "date" && !value.is_empty() && *value != "N/A";
    for (name, _) in cells.all().filter(quoted) {
        let currency: Currency = name.parse().map_err(|error| cells.bad(name, error))?;
        found.push(RateRow {
            currency,
            date,
            rate: cells.positive(name)?,
        });
    }
    rates.extend(found);
    Ok(())
}

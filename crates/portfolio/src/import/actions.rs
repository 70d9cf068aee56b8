//! Corporate actions: `symbol,ex_date,type,value,currency`.

use super::cells::Cells;
use super::table::{Columns, read};
use super::{BadRow, ImportReport, NO_SUCH_ASSET, OnProgress, Source};
use crate::error::Result;
use crate::market::{Action, ActionKind};
use crate::store::Store;

const COLUMNS: Columns = Columns {
    required: &["symbol", "ex_date", "type", "value"],
    optional: &["currency"],
    open: false,
};

/// Imports splits (new shares per old) and dividends (cash per share as traded) of known assets.
pub async fn import_actions(
    store: &Store,
    file: Source<'_>,
    source: &str,
    progress: OnProgress<'_>,
) -> Result<ImportReport> {
    let assets = store.asset_ids().await?;
    let mut actions = Vec::new();
    let mut report = read(file, &COLUMNS, progress, |cells| {
        let symbol = cells.required("symbol")?.to_uppercase();
        let unknown = || cells.bad("symbol", NO_SUCH_ASSET);
        let asset_id = *assets.get(&symbol).ok_or_else(unknown)?;
        actions.push((asset_id, action(cells)?));
        Ok(())
    })?;
    let mut written = 0;
    let mut tx = store.begin().await?;
    for (asset_id, action) in &actions {
        written += u64::from(store.put_action(&mut tx, *asset_id, action, source).await?);
    }
    store.commit(tx).await?;
    report.stored(written);
    Ok(report)
}

/// Reads the actions of one symbol; rows of others are not looked at.
pub fn read_actions(
    file: Source<'_>,
    symbol: &str,
    progress: OnProgress<'_>,
) -> Result<(Vec<Action>, ImportReport)> {
    let mut actions = Vec::new();
    let report = read(file, &COLUMNS, progress, |cells| {
        if cells.required("symbol")?.eq_ignore_ascii_case(symbol) {
            actions.push(action(cells)?);
        }
        Ok(())
    })?;
    Ok((actions, report))
}

fn action(cells: &Cells<'_>) -> Result<Action, BadRow> {
    let kind = match cells.required("type")? {
        "split" => ActionKind::Split,
        "dividend" => ActionKind::Dividend,
        _ => return Err(cells.bad("type", "must be split or dividend")),
    };
    Ok(Action {
        ex_date: cells.date("ex_date")?,
        kind,
        value: cells.positive("value")?,
        currency: cells.optional("currency")?,
    })
}

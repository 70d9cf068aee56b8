//! Lots that a row names: `B-1:10; B-7:2.5` are ten units of the lot that row `B-1` opened, and two and a half of `B-7`'s.

use super::BadRow;
use super::cells::Cells;
use crate::decimal::{Decimal, QUANTITY};
use crate::error::Result;
use crate::ledger::Pick;
use crate::store::{NewTransaction, Store, Transaction};

/// The column.
pub(super) const COLUMN: &str = "lot_picks";

/// A lot by the external id of the row that opened it.
#[derive(Debug)]
pub(super) struct NamedPick {
    external_id: String,
    quantity: Decimal,
}

/// The lots that a row names.
pub(super) fn read(cells: &Cells<'_>) -> Result<Vec<NamedPick>, BadRow> {
    let bad = || {
        cells.bad(
            COLUMN,
            "must be such as B-1:10; B-7:2.5 (external id and quantity)",
        )
    };
    let parts = cells.text(COLUMN).split(';').map(str::trim);
    let picks = parts.filter(|part| !part.is_empty()).map(|part| {
        let (id, quantity) = part.rsplit_once(':').ok_or_else(bad)?;
        let quantity: Decimal = quantity.trim().parse().map_err(|_| bad())?;
        let usable = quantity.is_positive() && quantity.round(QUANTITY) == quantity;
        let external_id = Some(id.trim()).filter(|id| !id.is_empty() && usable);
        Ok(NamedPick {
            external_id: external_id.ok_or_else(bad)?.to_owned(),
            quantity,
        })
    });
    picks.collect()
}

/// The lots' ids; or the name of a row that is not there, of this account and source.
pub(super) async fn find(
    store: &Store,
    tx: &mut Transaction,
    row: &NewTransaction,
    picks: &[NamedPick],
) -> Result<Result<Vec<Pick>, String>> {
    let mut found = Vec::with_capacity(picks.len());
    for pick in picks {
        let opened = store.transaction_named(tx, row.account_id, &row.source, &pick.external_id);
        match opened.await? {
            Some(lot) => found.push(Pick {
                lot,
                quantity: pick.quantity,
            }),
            None => return Ok(Err(pick.external_id.clone())),
        }
    }
    Ok(Ok(found))
}

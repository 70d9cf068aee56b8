//! One portfolio's snapshot from its walked ledger.

use jiff::civil::Date;

use super::super::compute::{self, Job, failure};
use super::super::envelope::Issue;
use crate::decimal::{Decimal, QUANTITY};
use crate::figures::{Closing, inconsistencies};
use crate::ledger::LedgerError;
use crate::market::Market;
use crate::metrics::compound;
use crate::returns::Returns;
use crate::series::{Walk, Window};
use crate::store::{Snapshot, SnapshotPosition};
use crate::valuation::Position;

/// A portfolio with the day of its snapshot before, if there is one.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) previous: Option<Date>,
}

/// The snapshot; `None` when nothing has happened until its day.
pub(super) fn snapshot(market: &Market, task: &Task) -> Result<Option<Snapshot>, Issue> {
    let id = task.job.target.row.id;
    let failed = |error: LedgerError| failure(id, error.code(), &error);
    let starts = task.previous.into_iter().collect();
    let walk = Walk::run(compute::request(market, &task.job, starts)).map_err(failed)?;
    let Some(walk) = walk else { return Ok(None) };
    let closing = Closing::of(&walk).map_err(failed)?;
    let wrong = inconsistencies(&walk, &closing, &[]).map_err(failed)?;
    if let Some(wrong) = wrong.first() {
        return Err(failure(id, "internal_inconsistency", wrong));
    }
    row(task, &walk, &closing).map(Some).map_err(failed)
}

fn row(task: &Task, walk: &Walk<'_>, closing: &Closing) -> Result<Snapshot, LedgerError> {
    let (target, totals, valuation) = (&task.job.target, walk.ledger.totals(), &walk.closing);
    let since = walk.window(task.previous.unwrap_or(walk.inception));
    let flows = &walk.ledger.flows()[since.mark.flows..];
    let cash = valuation.cash_base();
    let stale = |position: &&Position| position.unpriced || position.stale_days.is_some();
    Ok(Snapshot {
        portfolio_id: target.row.id,
        date: valuation.date,
        base_currency: closing.base,
        nav: closing.nav,
        cash,
        invested: closing.nav - cash,
        cost_basis: closing.cost_base,
        unrealised: closing.unrealised_gain_base,
        realised_to_date: closing.realised_gain_base,
        income_to_date: totals.dividends + totals.interest,
        fees_to_date: totals.fees + totals.taxes,
        inflow: flows.iter().map(|flow| flow.inflow).sum(),
        outflow: flows.iter().map(|flow| flow.outflow).sum(),
        day_return: task.previous.and_then(|_| total_return(&since)),
        twr_to_date: total_return(&walk.window(walk.inception)),
        stale_prices: valuation.positions.values().filter(stale).count(),
        input_hash: target.hash.clone(),
        positions: positions(walk, closing.nav)?,
    })
}

fn total_return(window: &Window) -> Option<f64> {
    let returns = Returns::of(window).unbroken()?;
    Some(compound(&returns))
}

fn positions(walk: &Walk<'_>, nav: Decimal) -> Result<Vec<SnapshotPosition>, LedgerError> {
    let weight = |value: Decimal| nav.is_positive().then(|| value.to_f64() / nav.to_f64());
    let rows = walk.closing.positions.iter().map(|(asset, position)| {
        Ok(SnapshotPosition {
            asset_id: walk.ledger.market().asset(*asset).id,
            quantity: position.quantity,
            price: position.price.close.div(position.price.divisor, QUANTITY)?,
            price_date: position.price.date,
            fx: position.rate,
            value_base: position.value_base,
            cost_base: position.cost_base,
            weight: weight(position.value_base),
        })
    });
    rows.collect()
}

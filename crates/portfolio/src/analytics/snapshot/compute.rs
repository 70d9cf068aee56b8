//! One portfolio's snapshot from where its ledger stands.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::super::batch::Making;
use super::super::compute::{Job, failure};
use super::super::envelope::Issue;
use super::super::load::Target;
use crate::decimal::{Decimal, QUANTITY};
use crate::figures::{Closing, inconsistencies};
use crate::ledger::LedgerError;
use crate::market::Market;
use crate::metrics::compound;
use crate::money::Currency;
use crate::series::{Series, Walked};
use crate::store::{KeptSnapshot, Snapshot, SnapshotPosition};
use crate::valuation::Position;

/// Makes snapshots.
pub(super) struct Snapshots {
    /// What is kept of the day, by portfolio.
    pub(super) kept: BTreeMap<i64, KeptSnapshot>,
    /// The day of the snapshot before, by portfolio, of those that have one.
    pub(super) previous: HashMap<i64, Date>,
    /// The values of those whose rows are current.
    pub(super) unchanged: Vec<(Currency, Decimal)>,
}

impl Making for Snapshots {
    /// None when nothing has happened until its day.
    type Item = Option<Snapshot>;

    fn starts(&self, job: &Job) -> Vec<Date> {
        self.previous(job).into_iter().collect()
    }

    fn empty(&self, _: &Job) -> Option<Snapshot> {
        None
    }

    fn make<S: Series>(
        &self,
        _: &Market,
        job: &Job,
        end: &Walked<'_>,
        series: impl Fn(Date) -> S,
    ) -> Result<Option<Snapshot>, Issue> {
        let id = job.target.row.id;
        let closing = Closing::of(end).map_err(|error| job.failed(error))?;
        let wrong = inconsistencies(end, &closing, &[]).map_err(|error| job.failed(error))?;
        if let Some(wrong) = wrong.first() {
            return Err(failure(id, "internal_inconsistency", wrong));
        }
        let previous = self.previous(job);
        let since = series(previous.unwrap_or(end.inception));
        let whole = total_return(&series(end.inception));
        let row = row(&job.target, end, &closing, &since, previous);
        let row = row.map_err(|error| job.failed(error))?;
        Ok(Some(Snapshot {
            twr_to_date: whole,
            ..row
        }))
    }
}

impl Snapshots {
    fn previous(&self, job: &Job) -> Option<Date> {
        self.previous.get(&job.target.row.id).copied()
    }
}

/// The row but for the return since inception.
fn row(
    target: &Target,
    end: &Walked<'_>,
    closing: &Closing,
    since: &impl Series,
    previous: Option<Date>,
) -> Result<Snapshot, LedgerError> {
    let (totals, valuation) = (end.ledger.totals(), &end.closing);
    let flows = &end.ledger.flows()[since.mark().flows..];
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
        day_return: previous.and_then(|_| total_return(since)),
        twr_to_date: None,
        stale_prices: valuation.positions.values().filter(stale).count(),
        input_hash: target.hash.clone(),
        positions: positions(end, closing.nav)?,
    })
}

fn total_return(series: &impl Series) -> Option<f64> {
    let returns = series.returns();
    Some(compound(returns.unbroken()?))
}

fn positions(end: &Walked<'_>, nav: Decimal) -> Result<Vec<SnapshotPosition>, LedgerError> {
    let weight = |value: Decimal| nav.is_positive().then(|| value.to_f64() / nav.to_f64());
    let rows = end.closing.positions.iter().map(|(asset, position)| {
        Ok(SnapshotPosition {
            asset_id: end.ledger.market().asset(*asset).id,
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

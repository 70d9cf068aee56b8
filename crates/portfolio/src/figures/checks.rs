//! What figures must agree on with themselves. A violation is an error of the portfolio, never a silent result.

use std::collections::BTreeMap;

use super::closing::Closing;
use super::period::PeriodFigures;
use crate::decimal::{Decimal, MONEY};
use crate::gains::Gains;
use crate::ledger::{LedgerError, cash_of};
use crate::money::Currency;
use crate::series::Walked;

/// Sums of floats may part by this much.
const SLACK: f64 = 1e-9;

/// Two numbers that should be equal and are not.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what}: {left} is not {right}")]
pub struct Inconsistency {
    /// Which check.
    pub what: &'static str,
    /// One side.
    pub left: String,
    /// The other side.
    pub right: String,
}

/// With one currency the parts of a period's profit leave nothing for currencies on cash.
pub fn gains_inconsistency(walk: &Walked<'_>, gains: &Gains) -> Option<Inconsistency> {
    let left = gains.cash.currency;
    let off = walk.ledger.is_single_currency() && !left.is_zero();
    off.then(|| unequal("gains add up to the change in value", left, Decimal::ZERO))
}

/// Every violation of: the identity of net asset value, contributions, lots, weights, cash. Cash was compared with its rows
/// before a ledger was kept; one that was resumed has moved none since.
pub fn inconsistencies(
    walk: &Walked<'_>,
    closing: &Closing,
    periods: &[&PeriodFigures],
) -> Result<Vec<Inconsistency>, LedgerError> {
    let mut found = Vec::new();
    found.extend(identity(walk, closing)?);
    found.extend(periods.iter().filter_map(|period| contribution(period)));
    found.extend(lots(walk));
    found.extend(weights(closing));
    if !walk.ledger.is_resumed() {
        found.extend(cash(walk)?);
    }
    Ok(found)
}

fn unequal(what: &'static str, left: impl ToString, right: impl ToString) -> Inconsistency {
    Inconsistency {
        what,
        left: left.to_string(),
        right: right.to_string(),
    }
}

/// The currency gain on cash that the identity leaves must be that of the cash movements themselves; exactly zero
/// with one currency, and otherwise within the rounding of each movement.
fn identity(walk: &Walked<'_>, closing: &Closing) -> Result<Option<Inconsistency>, LedgerError> {
    let (cash_at_cost, movements) = walk.ledger.cash_at_cost();
    let expected = walk.closing.cash_base() - cash_at_cost;
    let single = walk.ledger.is_single_currency();
    let unit = Decimal::ONE.div(Decimal::from_int(100_000_000), MONEY)?;
    let roundings = movements + walk.ledger.realised().len() * 3 + walk.ledger.flows().len() + 10;
    let slack = Decimal::from_int(i64::try_from(roundings).unwrap_or(i64::MAX)).mul(unit, MONEY)?;
    let allowed = if single { Decimal::ZERO } else { slack };
    let off = (closing.cash_fx_gain_base - expected).abs() > allowed;
    Ok(off.then(|| {
        unequal(
            "net asset value identity: currency gain on cash",
            closing.cash_fx_gain_base,
            expected,
        )
    }))
}

fn contribution(period: &PeriodFigures) -> Option<Inconsistency> {
    let (twr, parts) = (period.twr?, period.contribution.as_ref()?);
    let sum: f64 = parts.values().sum();
    let off = (sum - twr).abs() > SLACK * (1.0 + twr.abs());
    off.then(|| unequal("contributions add up to the time-weighted return", sum, twr))
}

fn lots(walk: &Walked<'_>) -> Option<Inconsistency> {
    let wrong = walk
        .ledger
        .books()
        .iter()
        .find(|(_, book)| !book.is_consistent());
    wrong.map(|((account, asset), book)| {
        let symbol = &walk.ledger.market().asset(*asset).symbol;
        unequal(
            "lots add up to the position",
            format!("{} {symbol} in account {}", book.quantity(), account.0),
            book.tally(),
        )
    })
}

fn weights(closing: &Closing) -> Option<Inconsistency> {
    let sum: f64 = closing.allocation.as_ref()?.asset.values().sum();
    ((sum - 1.0).abs() > SLACK).then(|| unequal("weights add up to one", sum, 1))
}

/// Cash equals the sum of its rows and of the dividends that the ledger posted itself.
fn cash(walk: &Walked<'_>) -> Result<Option<Inconsistency>, LedgerError> {
    let (ledger, mut sums) = (&walk.ledger, BTreeMap::<Currency, Decimal>::new());
    for entry in ledger
        .entries()
        .iter()
        .filter(|entry| entry.date <= walk.closing.date)
    {
        for (currency, amount) in cash_of(entry, ledger.market(), ledger.rules().base)? {
            *sums.entry(currency).or_default() += amount;
        }
    }
    for item in ledger.income().iter().filter(|item| item.automatic) {
        *sums.entry(item.currency).or_default() += item.amount;
    }
    let held = ledger.cash_by_currency();
    let held = |currency: &Currency| held.get(currency).copied().unwrap_or_default();
    let wrong = sums.iter().find(|(currency, sum)| held(currency) != **sum);
    Ok(wrong.map(|(currency, sum)| {
        unequal(
            "cash equals the sum of its rows",
            format!("{} {currency}", held(currency)),
            sum,
        )
    }))
}

//! Reconciliation: one account's ledger against one custodian statement.
//!
//! [`reconcile`] is pure: rows that belong together are matched in the order of the [`Rule`]s, each row once; what is
//! left, and positions and cash that differ, become [`Break`]s with a sentence a person can act on. Rows are bucketed by
//! type, symbol and currency first, so the work grows with the rows, not with their square. Reading statements and keeping
//! breaks over time is done elsewhere.

mod bucket;
mod fingerprint;
mod groups;
mod holdings;
mod leftovers;
mod matcher;
mod outcome;
mod reference;
mod rows;
mod wording;

pub use outcome::{Break, BreakType, Counts, Match, Outcome, RowRef, Rule, Severity, Status};
pub use rows::{Holding, LedgerSide, Row, Sections, StatedCash, StatedPosition, Statement};

use crate::dates::days_between;
use crate::decimal::Decimal;
use matcher::Matcher;

/// How far apart two sides may be and still agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Tolerances {
    /// An amount may be off by this much, in its currency.
    pub amount_abs: Decimal,
    /// Or by this share of the larger one.
    pub amount_rel: Decimal,
    /// A quantity may be off by this much.
    pub quantity_abs: Decimal,
    /// A price may be off by this share of the ledger's.
    pub price_rel: Decimal,
    /// Days between the dates of one event.
    pub date_days: i64,
    /// Rows that may add up to one on the other side.
    pub group_max: usize,
    /// The nearest rows that are tried for a group.
    pub group_candidates: usize,
    /// Share by which the money of one trade may differ (withheld tax, fees).
    pub soft_rel: Decimal,
    /// A ledger row this close to the statement's date may still be on its way.
    pub settle_days: i64,
}

impl Default for Tolerances {
    fn default() -> Self {
        let fraction = |count: i64, divisor: i64| {
            Decimal::from_int(count)
                .div(Decimal::from_int(divisor), crate::decimal::RATE)
                .expect("the divisor is not zero")
        };
        Tolerances {
            amount_abs: fraction(1, 100),
            amount_rel: fraction(1, 10_000),
            quantity_abs: fraction(1, 1_000_000),
            price_rel: fraction(5, 1_000),
            date_days: 3,
            group_max: 6,
            group_candidates: 12,
            soft_rel: fraction(5, 100),
            settle_days: 3,
        }
    }
}

impl Tolerances {
    fn quantities_agree(&self, a: Decimal, b: Decimal) -> bool {
        (a - b).abs() <= self.quantity_abs
    }

    fn amounts_agree(&self, a: Decimal, b: Decimal) -> bool {
        let difference = (a - b).abs();
        difference <= self.amount_abs || difference <= share(self.amount_rel, a.abs().max(b.abs()))
    }

    fn amounts_are_close(&self, a: Decimal, b: Decimal) -> bool {
        (a - b).abs() <= share(self.soft_rel, a.abs().max(b.abs()))
    }
}

/// A share of a size; a share so large that the product has no decimal lets everything agree.
fn share(rel: Decimal, of: Decimal) -> Decimal {
    rel.mul(of, crate::decimal::RATE).unwrap_or(Decimal::LIMIT)
}

/// Days between two rows, whichever is first.
fn gap(a: &Row, b: &Row) -> i64 {
    days_between(a.date, b.date).abs()
}

/// Compares the ledger of `account` with a statement.
pub fn reconcile(
    account: i64,
    ledger: &LedgerSide,
    statement: &Statement,
    tolerances: &Tolerances,
) -> Outcome {
    let mut matcher = Matcher::new(ledger, statement, tolerances);
    matcher.by_reference();
    matcher.by_bucket();
    matcher.leftovers(statement.as_of);
    matcher.positions(ledger, statement);
    matcher.cash(ledger, statement);
    matcher.finish(account)
}

#[cfg(test)]
mod tests;

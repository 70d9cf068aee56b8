//! Positions and cash: the union of both sides, zero where one has nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::matcher::Matcher;
use super::outcome::{Break, BreakType, RowRef, Severity};
use super::rows::{LedgerSide, Row, Statement};
use super::{share, wording};
use crate::decimal::{Decimal, RATE};
use crate::money::Currency;

/// Ratios of usual splits, as `new / old`; their inverses count too.
const SPLITS: [(i64, i64); 10] = [
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 1),
    (7, 1),
    (8, 1),
    (10, 1),
    (20, 1),
    (3, 2),
    (5, 4),
];

/// What unmatched rows of one symbol do to the position.
#[derive(Debug, Default)]
struct Pending {
    /// Lines add, ledger rows take away: what would bring the ledger to the statement.
    change: Decimal,
    rows: Vec<RowRef>,
}

impl Matcher<'_> {
    /// Compares positions when the statement covers them.
    pub(super) fn positions(&mut self, ledger: &LedgerSide, statement: &Statement) {
        if !statement.sections.positions {
            return;
        }
        let pending = self.pending_positions();
        let known = known_symbols(ledger);
        let symbols: BTreeSet<&String> = ledger
            .positions
            .keys()
            .chain(statement.positions.keys())
            .collect();
        for symbol in symbols {
            let (held, stated) = (
                ledger.positions.get(symbol),
                statement.positions.get(symbol),
            );
            let booked = held.map_or(Decimal::ZERO, |holding| holding.quantity);
            let quantity = stated.map_or(Decimal::ZERO, |position| position.quantity);
            let mut found = if self.tolerances.quantities_agree(booked, quantity) {
                let prices = held
                    .and_then(|holding| holding.price)
                    .zip(stated.and_then(|position| position.price));
                let Some(found) = prices.and_then(|(a, b)| self.price_mismatch(symbol, a, b))
                else {
                    continue;
                };
                found
            } else {
                let explained_by =
                    self.explained_by(pending.get(symbol.as_str()), booked, quantity);
                let kind = position_break(
                    known.contains(symbol.as_str()),
                    booked,
                    quantity,
                    !explained_by.is_empty(),
                );
                Break {
                    explained_by: Some(explained_by),
                    ..Break::new(kind, Some(symbol)).amounts(booked, quantity)
                }
            };
            found.lines = stated.iter().map(|position| position.line).collect();
            found.explanation = wording::position(&found, symbol);
            self.breaks.push(found);
        }
    }

    /// The unmatched rows, when they account for the whole difference.
    fn explained_by(
        &self,
        pending: Option<&Pending>,
        booked: Decimal,
        stated: Decimal,
    ) -> Vec<RowRef> {
        let explains = |pending: &&Pending| {
            !pending.change.is_zero()
                && self
                    .tolerances
                    .quantities_agree(booked + pending.change, stated)
        };
        pending
            .filter(explains)
            .map(|pending| pending.rows.clone())
            .unwrap_or_default()
    }

    fn pending_positions(&self) -> BTreeMap<String, Pending> {
        let mut pending: BTreeMap<String, Pending> = BTreeMap::new();
        let mut add = |row: &Row, change: Decimal, place: RowRef| {
            if let Some(symbol) = row.symbol.as_ref().filter(|_| !change.is_zero()) {
                let entry = pending.entry(symbol.clone()).or_default();
                entry.change += change;
                entry.rows.push(place);
            }
        };
        for row in self.lines.unmatched() {
            add(row, row.position_change(), RowRef::Line(row.id));
        }
        for row in self.ledger.unmatched() {
            add(row, -row.position_change(), RowRef::Ledger(row.id));
        }
        pending
    }

    fn price_mismatch(&self, symbol: &str, booked: Decimal, stated: Decimal) -> Option<Break> {
        let differs = (stated - booked).abs() > share(self.tolerances.price_rel, booked);
        differs.then(|| Break::new(BreakType::PriceMismatch, Some(symbol)).amounts(booked, stated))
    }

    /// Compares cash when the statement covers it.
    pub(super) fn cash(&mut self, ledger: &LedgerSide, statement: &Statement) {
        if !statement.sections.cash {
            return;
        }
        let explained = self.explained_cash();
        let currencies: BTreeSet<&Currency> =
            ledger.cash.keys().chain(statement.cash.keys()).collect();
        for currency in currencies {
            let stated = statement.cash.get(currency);
            let booked = ledger.cash.get(currency).copied().unwrap_or_default();
            let amount = stated.map_or(Decimal::ZERO, |cash| cash.amount);
            if (booked - amount).abs() <= self.tolerances.amount_abs {
                continue;
            }
            let explained = explained.get(currency).copied().unwrap_or_default();
            let unexplained = amount - booked - explained;
            let mut found = Break::new(BreakType::CashMismatch, None).amounts(booked, amount);
            if unexplained.abs() <= self.tolerances.amount_abs {
                found.severity = Severity::Medium;
            }
            found.lines = stated.iter().map(|cash| cash.line).collect();
            found.currency = Some(*currency);
            found.explained = Some(explained);
            found.unexplained = Some(unexplained);
            found.explanation = wording::cash(&found, *currency);
            self.breaks.push(found);
        }
    }

    /// Unmatched lines less unmatched ledger rows, and what matched amounts are apart.
    fn explained_cash(&self) -> BTreeMap<Currency, Decimal> {
        let mut explained = self.amount_deltas.clone();
        for row in self.lines.unmatched() {
            *explained.entry(row.currency).or_default() += row.amount;
        }
        for row in self.ledger.unmatched() {
            *explained.entry(row.currency).or_default() -= row.amount;
        }
        explained
    }
}

fn known_symbols(ledger: &LedgerSide) -> BTreeSet<&str> {
    let rows = ledger.rows.iter().filter_map(|row| row.symbol.as_deref());
    let named = ledger.known_symbols.iter().chain(ledger.positions.keys());
    rows.chain(named.map(String::as_str)).collect()
}

fn position_break(known: bool, booked: Decimal, stated: Decimal, explained: bool) -> BreakType {
    if !known {
        BreakType::UnknownSecurity
    } else if booked.is_zero() {
        BreakType::PositionMissingInLedger
    } else if stated.is_zero() {
        BreakType::PositionMissingInStatement
    } else if !explained && looks_split(booked, stated) {
        BreakType::SplitSuspected
    } else {
        BreakType::QuantityMismatch
    }
}

/// Whether one quantity is the other after a usual split, to a millionth.
fn looks_split(booked: Decimal, stated: Decimal) -> bool {
    let millionth = quotient(Decimal::ONE, Decimal::from_int(1_000_000));
    let ratio = stated.div(booked, RATE).ok();
    let inverses = SPLITS.iter().map(|(new, old)| (*old, *new));
    let mut ratios = SPLITS.iter().copied().chain(inverses);
    ratio.is_some_and(|ratio| {
        ratios.any(|(new, old)| {
            (ratio - quotient(Decimal::from_int(new), Decimal::from_int(old))).abs() < millionth
        })
    })
}

fn quotient(dividend: Decimal, divisor: Decimal) -> Decimal {
    dividend
        .div(divisor, RATE)
        .expect("small whole numbers have a quotient")
}

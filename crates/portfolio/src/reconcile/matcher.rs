//! The state of a comparison: which rows are still open, what was found so far.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::outcome::{Break, Counts, Match, Outcome, Rule, Severity, Status};
use super::rows::{LedgerSide, Row, Statement};
use super::{Tolerances, fingerprint, gap, wording};
use crate::decimal::Decimal;
use crate::money::Currency;

/// Rows of one side by date, then id; each is open until matched. Those outside the period are not missed.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) rows: Vec<&'a Row>,
    pub(super) open: Vec<bool>,
    period: (Date, Date),
}

impl<'a> Side<'a> {
    fn new(rows: &'a [Row], covered: bool, period: Option<(Date, Date)>) -> Side<'a> {
        let mut rows: Vec<&Row> = rows.iter().filter(|_| covered).collect();
        rows.sort_by_key(|row| (row.date, row.id));
        Side {
            open: vec![true; rows.len()],
            rows,
            period: period.unwrap_or((Date::MIN, Date::MAX)),
        }
    }

    /// Rows that are missed on the other side, in order.
    pub(super) fn unmatched(&self) -> impl Iterator<Item = &'a Row> {
        let (first, last) = self.period;
        let rows = self.rows.iter().zip(&self.open);
        rows.filter(move |(row, open)| **open && first <= row.date && row.date <= last)
            .map(|(row, _)| *row)
    }

    /// Rows that were matched, in order.
    pub(super) fn matched(&self) -> impl Iterator<Item = &'a Row> {
        let rows = self.rows.iter().zip(&self.open);
        rows.filter(|(_, open)| !**open).map(|(row, _)| *row)
    }

    fn take(&mut self, indices: &[usize]) -> Vec<&'a Row> {
        for index in indices {
            self.open[*index] = false;
        }
        indices.iter().map(|index| self.rows[*index]).collect()
    }
}

/// A comparison under way.
#[derive(Debug)]
pub(super) struct Matcher<'a> {
    pub(super) ledger: Side<'a>,
    pub(super) lines: Side<'a>,
    pub(super) tolerances: &'a Tolerances,
    pub(super) breaks: Vec<Break>,
    /// Amount differences of matched rows, statement less ledger.
    pub(super) amount_deltas: BTreeMap<Currency, Decimal>,
    matches: Vec<Match>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(
        ledger: &'a LedgerSide,
        statement: &'a Statement,
        tolerances: &'a Tolerances,
    ) -> Matcher<'a> {
        Matcher {
            ledger: Side::new(&ledger.rows, statement.sections.transactions, ledger.period),
            lines: Side::new(&statement.rows, true, None),
            tolerances,
            breaks: Vec::new(),
            amount_deltas: BTreeMap::new(),
            matches: Vec::new(),
        }
    }

    /// Closes rows that belong together.
    pub(super) fn hit(&mut self, rule: Rule, ledger: &[usize], lines: &[usize]) {
        let (ledger, lines) = (self.ledger.take(ledger), self.lines.take(lines));
        let total = |rows: &[&Row], of: fn(&Row) -> Decimal| rows.iter().map(|row| of(row)).sum();
        let delta = |of: fn(&Row) -> Decimal| -> Decimal {
            let (stated, booked): (Decimal, Decimal) = (total(&lines, of), total(&ledger, of));
            stated - booked
        };
        let pairs = ledger.iter().flat_map(|a| lines.iter().map(|b| gap(a, b)));
        let mut found = Match {
            rule,
            ledger: ledger.iter().map(|row| row.id).collect(),
            lines: lines.iter().map(|row| row.id).collect(),
            quantity_delta: delta(|row| row.quantity),
            amount_delta: delta(|row| row.amount),
            date_delta_days: pairs.max().unwrap_or(0),
            explanation: String::new(),
        };
        found.explanation = wording::matched(&found, ledger[0]);
        if !found.amount_delta.is_zero() {
            *self.amount_deltas.entry(ledger[0].currency).or_default() += found.amount_delta;
        }
        self.matches.push(found);
    }

    /// The result, in its order, with fingerprints.
    pub(super) fn finish(mut self, account: i64) -> Outcome {
        self.breaks.sort_by(|a, b| key(a).cmp(&key(b)));
        fingerprint::stamp(
            account,
            &mut self.breaks,
            &self.ledger.rows,
            &self.lines.rows,
        );
        self.matches
            .sort_by(|a, b| (&a.lines, &a.ledger).cmp(&(&b.lines, &b.ledger)));
        Outcome {
            status: status(&self.breaks),
            counts: self.counts(),
            matches: self.matches,
            breaks: self.breaks,
        }
    }

    fn counts(&self) -> Counts {
        let unmatched_ledger = self.ledger.unmatched().count();
        let unmatched_statement = self.lines.unmatched().count();
        let matched_ledger = self.ledger.matched().count();
        let matched_statement = self.lines.matched().count();
        Counts {
            ledger: matched_ledger + unmatched_ledger,
            statement: matched_statement + unmatched_statement,
            matched_ledger,
            matched_statement,
            unmatched_ledger,
            unmatched_statement,
            breaks: self.breaks.len(),
        }
    }
}

fn key(found: &Break) -> impl Ord {
    (
        found.kind,
        found.symbol.as_deref().unwrap_or_default(),
        &found.ledger,
        &found.lines,
        found.currency,
    )
}

fn status(breaks: &[Break]) -> Status {
    if breaks.is_empty() {
        Status::Matched
    } else if breaks.iter().all(|found| found.severity == Severity::Info) {
        Status::TimingOnly
    } else {
        Status::Breaks
    }
}

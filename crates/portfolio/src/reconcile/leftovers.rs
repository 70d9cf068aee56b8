//! Rows that found no partner.

use std::collections::HashSet;

use jiff::civil::Date;

use super::matcher::{Matcher, Side};
use super::outcome::{Break, BreakType};
use super::rows::Row;
use super::wording;
use crate::dates::days_between;
use crate::decimal::Decimal;

/// What makes two rows twins.
type Twin<'a> = (&'a str, Option<&'a str>, Decimal, Decimal, Date);

impl Matcher<'_> {
    /// Every unmatched row becomes a break.
    pub(super) fn leftovers(&mut self, as_of: Date) {
        let (booked_twins, stated_twins) = (twins(&self.ledger), twins(&self.lines));
        let mut breaks = Vec::new();
        for row in self.ledger.unmatched() {
            let kind = if booked_twins.contains(&twin(row)) {
                BreakType::DuplicateInLedger
            } else if days_between(row.date, as_of) < self.tolerances.settle_days {
                BreakType::TimingDifference
            } else {
                BreakType::MissingInStatement
            };
            breaks.push(Break {
                ledger: vec![row.id],
                difference: Some(-row.amount),
                explanation: wording::ledger_only(kind, row),
                ..Break::new(kind, row.symbol.as_deref())
            });
        }
        for row in self.lines.unmatched() {
            let kind = if stated_twins.contains(&twin(row)) {
                BreakType::DuplicateInStatement
            } else {
                BreakType::MissingInLedger
            };
            breaks.push(Break {
                lines: vec![row.id],
                difference: Some(row.amount),
                explanation: wording::statement_only(kind, row),
                ..Break::new(kind, row.symbol.as_deref())
            });
        }
        self.breaks.append(&mut breaks);
    }
}

fn twins<'a>(side: &Side<'a>) -> HashSet<Twin<'a>> {
    side.matched().map(twin).collect()
}

fn twin(row: &Row) -> Twin<'_> {
    (
        row.kind.as_str(),
        row.symbol.as_deref(),
        row.quantity,
        row.amount,
        row.date,
    )
}

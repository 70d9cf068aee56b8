//! The first rule: an equal external id, whatever else differs.

use std::collections::{HashMap, VecDeque};

use super::gap;
use super::matcher::Matcher;
use super::outcome::{Break, BreakType, Rule};
use super::rows::Row;
use super::wording;

impl Matcher<'_> {
    /// Pairs rows of one external id; what differs between them becomes breaks.
    pub(super) fn by_reference(&mut self) {
        let mut waiting: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (index, row) in self.lines.rows.iter().enumerate() {
            if let Some(reference) = &row.reference {
                waiting.entry(reference).or_default().push_back(index);
            }
        }
        for index in 0..self.ledger.rows.len() {
            let booked = self.ledger.rows[index];
            let line = booked
                .reference
                .as_deref()
                .and_then(|reference| waiting.get_mut(reference)?.pop_front());
            if let Some(line) = line {
                self.hit(Rule::Reference, &[index], &[line]);
                self.compare(booked, self.lines.rows[line]);
            }
        }
    }

    fn compare(&mut self, booked: &Row, stated: &Row) {
        if booked.kind != stated.kind {
            let found = self.pair(BreakType::TypeMismatch, booked, stated);
            self.add(found.values(&booked.kind, &stated.kind), booked, stated);
        }
        if booked.symbol != stated.symbol {
            let mut found = self.pair(BreakType::SymbolMismatch, booked, stated);
            found.ledger_value.clone_from(&booked.symbol);
            found.statement_value.clone_from(&stated.symbol);
            self.add(found, booked, stated);
        }
        if !self
            .tolerances
            .quantities_agree(booked.quantity, stated.quantity)
        {
            let found = self.pair(BreakType::QuantityMismatch, booked, stated);
            self.add(
                found.amounts(booked.quantity, stated.quantity),
                booked,
                stated,
            );
        }
        if !self.tolerances.amounts_agree(booked.amount, stated.amount) {
            self.amount_mismatch(booked, stated);
        }
        if gap(booked, stated) > self.tolerances.date_days {
            let found = self.pair(BreakType::DateMismatch, booked, stated);
            self.add(found.values(booked.date, stated.date), booked, stated);
        }
    }

    /// The money of one trade differs.
    pub(super) fn amount_mismatch(&mut self, booked: &Row, stated: &Row) {
        let found = self.pair(BreakType::AmountMismatch, booked, stated);
        self.add(found.amounts(booked.amount, stated.amount), booked, stated);
    }

    fn pair(&self, kind: BreakType, booked: &Row, stated: &Row) -> Break {
        Break {
            ledger: vec![booked.id],
            lines: vec![stated.id],
            ..Break::new(kind, booked.symbol.as_deref())
        }
    }

    fn add(&mut self, mut found: Break, booked: &Row, stated: &Row) {
        found.explanation = wording::pair(&found, booked, stated);
        self.breaks.push(found);
    }
}

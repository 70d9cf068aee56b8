//! A statement as JSON, with the same fields as CSV.

use jiff::civil::Date;
use serde::Deserialize;

use super::super::Source;
use super::super::table::problem;
use super::StatementFile;
use super::lines::{LineKind, StatementLine};
use super::text::utf8;
use crate::decimal::Decimal;
use crate::error::Result;
use crate::money::Currency;
use crate::reconcile::Sections;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    account: String,
    as_of: Date,
    #[serde(default)]
    period_start: Option<Date>,
    #[serde(default)]
    custodian: String,
    /// What it covers; what it has lines of unless given.
    #[serde(default)]
    sections: Option<Vec<Section>>,
    lines: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Section {
    Transactions,
    Positions,
    Cash,
}

/// A line; its number is its place from one unless given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    line: Option<i64>,
    kind: LineKind,
    #[serde(default)]
    date: Option<Date>,
    #[serde(default)]
    settle_date: Option<Date>,
    #[serde(default, rename = "type")]
    type_: Option<String>,
    #[serde(default)]
    symbol: Option<String>,
    #[serde(default)]
    isin: Option<String>,
    #[serde(default)]
    quantity: Option<Decimal>,
    #[serde(default)]
    price: Option<Decimal>,
    #[serde(default)]
    amount: Option<Decimal>,
    #[serde(default)]
    currency: Option<Currency>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

pub(super) fn read(source: Source<'_>) -> Result<StatementFile> {
    let text = utf8(source)?;
    let document: Document =
        serde_json::from_str(text).map_err(|error| problem(source.name, &error.to_string()))?;
    let mut lines = Vec::with_capacity(document.lines.len());
    for (line, place) in document.lines.into_iter().zip(1..) {
        let line = line.read(place);
        if let Some(field) = line.missing() {
            let text = format!("line {}: {field} must not be empty", line.number);
            return Err(problem(source.name, &text));
        }
        lines.push(line);
    }
    let covers = |section, kind| match &document.sections {
        Some(named) => named.contains(&section),
        None => lines.iter().any(|line| line.kind == kind),
    };
    let sections = Sections {
        transactions: covers(Section::Transactions, LineKind::Transaction),
        positions: covers(Section::Positions, LineKind::Position),
        cash: covers(Section::Cash, LineKind::Cash),
    };
    Ok(StatementFile {
        account_no: document.account,
        custodian: document.custodian,
        as_of: document.as_of,
        period_start: document.period_start,
        sections,
        lines,
    })
}

impl Line {
    fn read(self, place: i64) -> StatementLine {
        let upper = |text: Option<String>| text.map(|text| text.to_uppercase());
        StatementLine {
            date: self.date,
            settle_date: self.settle_date,
            type_: self.type_,
            symbol: upper(self.symbol),
            isin: upper(self.isin),
            quantity: self.quantity,
            price: self.price,
            amount: self.amount,
            currency: self.currency,
            external_id: self.external_id,
            description: self.description,
            ..StatementLine::new(self.line.unwrap_or(place), self.kind)
        }
    }
}

//! A statement as CSV: a header row with the day and the account's number, then one row for each line.

use super::super::cells::Cells;
use super::super::table::{self, Columns, problem};
use super::super::{BadRow, Source};
use super::lines::{LineKind, StatementLine};
use super::{MOST_LINES, StatementFile};
use crate::error::Result;
use crate::reconcile::Sections;

const COLUMNS: Columns = Columns {
    required: &["kind", "date", "amount", "currency", "external_id"],
    optional: &[
        "settle_date",
        "type",
        "symbol",
        "isin",
        "quantity",
        "price",
        "description",
    ],
    open: false,
};

/// Bad lines that a refusal names.
const NAMED: usize = 5;

pub(super) fn read(source: Source<'_>) -> Result<StatementFile> {
    let mut header = None;
    let mut lines = Vec::new();
    let mut sections = Sections::default();
    let report = table::read(source, &COLUMNS, &mut |_| {}, |cells| {
        if cells.text("kind") == "header" {
            return take_header(&mut header, cells);
        }
        let line = line(cells)?;
        match line.kind {
            LineKind::Transaction => sections.transactions = true,
            LineKind::Position => sections.positions = true,
            LineKind::Cash => sections.cash = true,
        }
        if lines.len() <= MOST_LINES {
            lines.push(line);
        }
        Ok(())
    })?;
    if report.bad > 0 {
        let named = report.bad_rows.iter().take(NAMED).map(ToString::to_string);
        let named: Vec<String> = named.collect();
        let text = format!("{} lines cannot be read: {}", report.bad, named.join("; "));
        return Err(problem(source.name, &text));
    }
    let Some((as_of, account_no)) = header else {
        let rule = "no row of kind header says the day and the account's number";
        return Err(problem(source.name, rule));
    };
    Ok(StatementFile {
        account_no,
        custodian: String::new(),
        as_of,
        period_start: None,
        sections,
        lines,
    })
}

fn take_header(
    header: &mut Option<(jiff::civil::Date, String)>,
    cells: &Cells<'_>,
) -> Result<(), BadRow> {
    if header.is_some() {
        return Err(cells.bad("kind", "must be header once only"));
    }
    let account_no = cells.required("external_id")?.to_owned();
    *header = Some((cells.date("date")?, account_no));
    Ok(())
}

fn line(cells: &Cells<'_>) -> Result<StatementLine, BadRow> {
    let kind = match cells.text("kind") {
        "transaction" => LineKind::Transaction,
        "position" => LineKind::Position,
        "cash" => LineKind::Cash,
        _ => return Err(cells.bad("kind", "must be header, transaction, position or cash")),
    };
    let text = |field| Some(cells.text(field).to_owned()).filter(|text: &String| !text.is_empty());
    let line = StatementLine {
        date: cells.optional_date("date")?,
        settle_date: cells.optional_date("settle_date")?,
        type_: text("type"),
        symbol: text("symbol").map(|symbol| symbol.to_uppercase()),
        isin: text("isin").map(|isin| isin.to_uppercase()),
        quantity: cells.optional("quantity")?,
        price: cells.optional("price")?,
        amount: cells.optional("amount")?,
        currency: cells.optional("currency")?,
        external_id: text("external_id"),
        description: text("description"),
        ..StatementLine::new(i64::try_from(cells.line).unwrap_or(i64::MAX), kind)
    };
    match line.missing() {
        Some(field) => Err(cells.bad(field, "must not be empty")),
        None => Ok(line),
    }
}

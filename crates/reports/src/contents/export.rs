//! An export for people: every portfolio's report, and the ledger's rows of the range.

use crate::document::{Block, Document, Table};
use crate::export::{DateRange, Row, Section, rows};
use crate::format::isolated;
use crate::subject::Subject;

use super::holdings::section;
use super::{ReportType, report};

/// All portfolios in one document; the first one's name is its title when it is the only one, else the owner's.
pub fn export(owner: &str, subjects: &[Subject<'_>], range: DateRange) -> Document {
    let title = match subjects {
        [only] => only.names.portfolio.as_str(),
        _ => owner,
    };
    let mut blocks: Vec<Block> = subjects
        .iter()
        .flat_map(|subject| portfolio(subject, range))
        .collect();
    if blocks.is_empty() {
        blocks.push(Block::Note("Nothing has happened yet.".to_owned()));
    }
    Document {
        title: title.to_owned(),
        subtitle: "Export".to_owned(),
        facts: vec![
            ("Owner".to_owned(), owner.to_owned()),
            (
                "Period".to_owned(),
                format!("{} to {}", range.start, range.end),
            ),
        ],
        as_of: range.end,
        blocks,
    }
}

fn portfolio(subject: &Subject<'_>, range: DateRange) -> Vec<Block> {
    let name = &subject.names.portfolio;
    let mut blocks = vec![Block::Heading(format!(
        "{}, in {}",
        isolated(name),
        subject.closing.base
    ))];
    blocks.extend(report(subject, ReportType::Comprehensive).blocks);
    blocks.extend(transactions(subject, range));
    blocks
}

fn transactions(subject: &Subject<'_>, range: DateRange) -> Vec<Block> {
    let mut table = Table::new(
        &["Date", "Type", "Symbol"],
        &["Quantity", "Price", "Amount", "Currency"],
    );
    let booked = rows(std::slice::from_ref(subject), range)
        .skip_while(|row| row.section < Section::Transaction)
        .take_while(|row| row.section == Section::Transaction);
    table.rows = booked.map(|row| cells(&row)).collect();
    if table.rows.is_empty() {
        return section("Transactions", Err("Nothing was booked in the period."));
    }
    section("Transactions", Ok(table))
}

fn cells(row: &Row<'_>) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        row.date.to_string(),
        row.kind.to_string(),
        row.symbol.to_string(),
        text(row.quantity.map(|quantity| quantity.to_string())),
        text(row.price.as_deref().map(str::to_owned)),
        text(row.amount.map(|amount| amount.to_string())),
        row.currency.to_string(),
    ]
}

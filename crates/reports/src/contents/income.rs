//! Dividends: by year and asset, and one by one.

use std::collections::BTreeMap;

use portfolio::decimal::Decimal;
use portfolio::ledger::IncomeItem;
use portfolio::money::Currency;

use super::holdings::section;
use crate::document::{Block, Table};
use crate::format::{amount, money, percent};
use crate::subject::Subject;

pub(super) fn blocks(subject: &Subject<'_>) -> Vec<Block> {
    let mut by_year: BTreeMap<(i16, String), Decimal> = BTreeMap::new();
    for item in items(subject) {
        *by_year
            .entry((item.date.year(), symbol(subject, item)))
            .or_default() += item.amount_base;
    }
    if by_year.is_empty() {
        return section("Dividends", Err("There were no dividends in the period."));
    }
    let base = subject.closing.base;
    let mut table = Table::new(&["Year", "Symbol"], &[&format!("Before tax, in {base}")]);
    for ((year, symbol), sum) in &by_year {
        table
            .rows
            .push(vec![year.to_string(), symbol.clone(), money(*sum, base)]);
    }
    let sum: Decimal = by_year.values().copied().sum();
    table.total = Some(vec!["Total".to_owned(), String::new(), money(sum, base)]);
    let mut blocks = section("Dividends", Ok(table));
    blocks.push(Block::Note(trailing(subject)));
    blocks
}

fn trailing(subject: &Subject<'_>) -> String {
    let income = &subject.closing.income;
    format!(
        "The last twelve months paid {}: {} of the value and {} of the cost of what is held.",
        amount(income.trailing, subject.closing.base),
        percent(income.yield_on_value),
        percent(income.yield_on_cost),
    )
}

/// Every payment of the period.
pub(super) fn payments(subject: &Subject<'_>) -> Vec<Block> {
    let base = subject.closing.base;
    let mut table = Table::new(
        &["Date", "Symbol"],
        &[
            "Before tax",
            "Tax",
            "Currency",
            &format!("Before tax, in {base}"),
        ],
    );
    table.rows = items(subject)
        .iter()
        .map(|item| payment(subject, item, base))
        .collect();
    if table.rows.is_empty() {
        return Vec::new();
    }
    section("Payments", Ok(table))
}

fn payment(subject: &Subject<'_>, item: &IncomeItem, base: Currency) -> Vec<String> {
    vec![
        item.date.to_string(),
        symbol(subject, item),
        money(item.amount, item.currency),
        money(item.tax, item.currency),
        item.currency.to_string(),
        money(item.amount_base, base),
    ]
}

fn items<'s>(subject: &'s Subject<'_>) -> &'s [IncomeItem] {
    &subject.walk.ledger.income()[subject.window.mark.income..]
}

fn symbol(subject: &Subject<'_>, item: &IncomeItem) -> String {
    item.asset.map_or_else(String::new, |asset| {
        subject.walk.ledger.market().asset(asset).symbol.clone()
    })
}

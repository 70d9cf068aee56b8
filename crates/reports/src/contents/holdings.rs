//! What is held: positions, cash, lots.

use portfolio::decimal::Decimal;

use super::gains::date;
use crate::document::{Block, Table};
use crate::format::{NOTHING, money, percent, price, quantity};
use crate::subject::Subject;

pub(super) fn positions(subject: &Subject<'_>) -> Vec<Block> {
    let closing = &subject.closing;
    if closing.positions.is_empty() {
        return section("Holdings", Err("Nothing is held."));
    }
    let mut table = Table::new(
        &["Symbol", "Name"],
        &["Quantity", "Price", "Currency", "Value", "Weight", "Gain"],
    );
    for (symbol, position) in &closing.positions {
        table.rows.push(vec![
            symbol.to_string(),
            subject.asset_name(symbol).to_owned(),
            quantity(position.quantity),
            price(&position.price),
            position.currency.to_string(),
            money(position.value_base, closing.base),
            weight(subject, position.value_base),
            money(position.unrealised_base, closing.base),
        ]);
    }
    let value: Decimal = closing
        .positions
        .values()
        .map(|position| position.value_base)
        .sum();
    let empty = String::new;
    table.total = Some(vec![
        "Total".to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        money(value, closing.base),
        weight(subject, value),
        money(closing.unrealised_gain_base, closing.base),
    ]);
    let mut blocks = section("Holdings", Ok(table));
    blocks.push(Block::Note(format!(
        "Value and gain in {}. Prices are the last before or on {}, in the currency shown.",
        closing.base, closing.date
    )));
    blocks
}

pub(super) fn cash(subject: &Subject<'_>) -> Vec<Block> {
    let closing = &subject.walk.closing;
    if closing.cash.is_empty() {
        return section("Cash", Err("There is no cash."));
    }
    let base = subject.closing.base;
    let value = format!("Value in {base}");
    let mut table = Table::new(&["Currency"], &["Balance", &value, "Weight"]);
    for (currency, (balance, value)) in &closing.cash {
        table.rows.push(vec![
            currency.to_string(),
            money(*balance, *currency),
            money(*value, base),
            weight(subject, *value),
        ]);
    }
    section("Cash", Ok(table))
}

pub(super) fn lots(subject: &Subject<'_>) -> Vec<Block> {
    let ledger = &subject.walk.ledger;
    let base = format!("Cost in {}", subject.closing.base);
    let mut table = Table::new(
        &["Symbol", "Bought"],
        &["Lot", "Quantity", "Cost", "Currency", &base],
    );
    for ((_, asset), book) in ledger.books() {
        let asset = ledger.market().asset(*asset);
        for lot in book.lots() {
            table.rows.push(vec![
                asset.symbol.clone(),
                date(Some(lot.date)),
                lot.id.to_string(),
                quantity(lot.quantity),
                money(lot.cost, asset.currency),
                asset.currency.to_string(),
                money(lot.cost_base, subject.closing.base),
            ]);
        }
    }
    table.rows.sort();
    section("Lots", Ok(table))
}

fn weight(subject: &Subject<'_>, value: Decimal) -> String {
    let nav = subject.closing.nav;
    if nav.is_positive() {
        percent(Some(value.to_f64() / nav.to_f64()))
    } else {
        NOTHING.to_owned()
    }
}

/// A heading, and below it a table or a sentence that says why there is none.
pub fn section(heading: &str, content: Result<Table, &str>) -> Vec<Block> {
    let content = match content {
        Ok(table) => Block::Table(table),
        Err(sentence) => Block::Note(sentence.to_owned()),
    };
    vec![Block::Heading(heading.to_owned()), content]
}

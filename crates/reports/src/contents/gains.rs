//! Realised gains: by year and term, and lot by lot.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portfolio::decimal::Decimal;
use portfolio::ledger::{Realised, Term};

use super::holdings::section;
use crate::document::{Block, Table};
use crate::format::{NOTHING, money, quantity};
use crate::subject::Subject;

/// Sums of one year.
#[derive(Default)]
struct Year {
    short: Decimal,
    long: Decimal,
    pooled: Decimal,
}

pub(super) fn by_year(subject: &Subject<'_>) -> Vec<Block> {
    let mut years: BTreeMap<i16, Year> = BTreeMap::new();
    for gain in gains(subject) {
        let year = years.entry(gain.closed.year()).or_default();
        let sum = match gain.term {
            Some(Term::Short) => &mut year.short,
            Some(Term::Long) => &mut year.long,
            None => &mut year.pooled,
        };
        *sum += gain.gain_base;
    }
    if years.is_empty() {
        return section("Realised gains", Err("Nothing was sold in the period."));
    }
    let base = subject.closing.base;
    let mut table = Table::new(&["Year"], &["Short-term", "Long-term", "Pooled", "Sum"]);
    let line = |name: String, sums: &Year| {
        let sum = sums.short + sums.long + sums.pooled;
        let cells = [sums.short, sums.long, sums.pooled, sum].map(|value| money(value, base));
        std::iter::once(name).chain(cells).collect()
    };
    table.rows = years
        .iter()
        .map(|(year, sums)| line(year.to_string(), sums))
        .collect();
    let whole = Year {
        short: years.values().map(|year| year.short).sum(),
        long: years.values().map(|year| year.long).sum(),
        pooled: years.values().map(|year| year.pooled).sum(),
    };
    table.total = Some(line("Total".to_owned(), &whole));
    let mut blocks = section("Realised gains", Ok(table));
    blocks.push(Block::Note(format!(
        "In {base}. Long-term is what was held for more than 365 days; lots of an average-cost pool have no term."
    )));
    blocks
}

/// Every lot that was closed in the period.
pub(super) fn by_lot(subject: &Subject<'_>) -> Vec<Block> {
    let base = subject.closing.base;
    let gain_base = format!("Gain in {base}");
    let mut table = Table::new(
        &["Symbol", "Bought", "Sold", "Term"],
        &[
            "Quantity", "Proceeds", "Cost", "Gain", "Currency", &gain_base,
        ],
    );
    table.rows = gains(subject)
        .iter()
        .map(|gain| lot(subject, gain))
        .collect();
    if table.rows.is_empty() {
        return Vec::new();
    }
    let sum: Decimal = gains(subject).iter().map(|gain| gain.gain_base).sum();
    let mut total = vec![String::new(); table.columns.len()];
    "Total".clone_into(&mut total[0]);
    total[table.columns.len() - 1] = money(sum, base);
    table.total = Some(total);
    section("Lots closed", Ok(table))
}

fn lot(subject: &Subject<'_>, gain: &Realised) -> Vec<String> {
    let asset = subject.walk.ledger.market().asset(gain.asset);
    let term = match gain.term {
        Some(Term::Short) => "short",
        Some(Term::Long) => "long",
        None => NOTHING,
    };
    vec![
        asset.symbol.clone(),
        date(gain.opened),
        gain.closed.to_string(),
        term.to_owned(),
        quantity(gain.quantity),
        money(gain.proceeds, asset.currency),
        money(gain.cost, asset.currency),
        money(gain.gain, asset.currency),
        asset.currency.to_string(),
        money(gain.gain_base, subject.closing.base),
    ]
}

pub(super) fn date(day: Option<Date>) -> String {
    day.map_or_else(|| NOTHING.to_owned(), |day| day.to_string())
}

fn gains<'s>(subject: &'s Subject<'_>) -> &'s [Realised] {
    &subject.walk.ledger.realised()[subject.window.mark.realised..]
}

//! The sentences of matches and breaks.

use super::gap;
use super::outcome::{Break, BreakType, Match, Rule};
use super::rows::Row;
use crate::decimal::Decimal;
use crate::money::Currency;

/// Why rows belong together.
pub(super) fn matched(found: &Match, booked: &Row) -> String {
    let what = subject(booked);
    let (rows, lines) = (list(&found.ledger), list(&found.lines));
    match found.rule {
        Rule::Reference => {
            format!("Ledger row {rows} and line {lines} carry the same reference ({what})")
        }
        Rule::Exact => format!("Ledger row {rows} and line {lines} agree ({what})"),
        Rule::NearDate => format!(
            "Ledger row {rows} and line {lines} agree, {} apart ({what})",
            days(found.date_delta_days)
        ),
        Rule::ManyToOne => format!("Ledger rows {rows} add up to line {lines} ({what})"),
        Rule::OneToMany => format!("Lines {lines} add up to ledger row {rows} ({what})"),
        Rule::SoftAmount => format!(
            "Ledger row {rows} and line {lines} are the same event with other money ({what})"
        ),
    }
}

/// What differs between two rows that were matched.
pub(super) fn pair(found: &Break, booked: &Row, stated: &Row) -> String {
    let (line, what) = (stated.id, subject(booked));
    let ledger = found.ledger_value.as_deref().unwrap_or("none");
    let statement = found.statement_value.as_deref().unwrap_or("none");
    match found.kind {
        BreakType::AmountMismatch => {
            let (verb, size) = if stated.amount.is_negative() {
                ("charges", stated.amount.abs())
            } else {
                ("pays", stated.amount)
            };
            format!(
                "Statement line {line} {verb} {} {} for {what}; the ledger has {}{}",
                money(size, stated.currency),
                stated.currency,
                money(booked.amount.abs(), booked.currency),
                deviation(booked, stated)
            )
        }
        BreakType::DateMismatch => format!(
            "Statement line {line} dates {what} {statement}; the ledger has {ledger} ({} apart)",
            days(gap(booked, stated))
        ),
        BreakType::QuantityMismatch => format!(
            "Statement line {line} has a quantity of {statement} for {what}; the ledger has {ledger}"
        ),
        BreakType::SymbolMismatch => {
            format!("Statement line {line} names {statement} for {what}; the ledger has {ledger}")
        }
        _ => format!("Statement line {line} calls {what} a {statement}; the ledger has {ledger}"),
    }
}

/// A ledger row without a partner.
pub(super) fn ledger_only(kind: BreakType, row: &Row) -> String {
    let (id, what, amount) = (row.id, subject(row), money(row.amount, row.currency));
    let currency = row.currency;
    match kind {
        BreakType::DuplicateInLedger => format!(
            "Ledger row {id} repeats {what} over {amount} {currency}, which is matched already: delete it if it was entered twice"
        ),
        BreakType::TimingDifference => format!(
            "Ledger row {id}, {what} over {amount} {currency}, is too recent for the statement: expect it on the next one"
        ),
        _ => format!(
            "Ledger row {id}, {what} over {amount} {currency}, is not on the statement: ask the custodian, or correct the ledger"
        ),
    }
}

/// A line without a partner.
pub(super) fn statement_only(kind: BreakType, row: &Row) -> String {
    let (line, what, amount) = (row.id, subject(row), money(row.amount, row.currency));
    let currency = row.currency;
    if kind == BreakType::DuplicateInStatement {
        format!(
            "Statement line {line} repeats {what} over {amount} {currency}, which is matched already: ask the custodian"
        )
    } else {
        format!(
            "Statement line {line}, {what} over {amount} {currency}, is not in the ledger: enter it"
        )
    }
}

/// A position that differs.
pub(super) fn position(found: &Break, symbol: &str) -> String {
    let ledger = found.ledger_value.as_deref().unwrap_or("0");
    let statement = found.statement_value.as_deref().unwrap_or("0");
    let rest = match found.kind {
        BreakType::PriceMismatch => {
            return format!(
                "The statement prices {symbol} at {statement}, the ledger at {ledger}: check the price's date and currency"
            );
        }
        BreakType::SplitSuspected => "the ratio is that of a split: check corporate actions",
        BreakType::UnknownSecurity => {
            "no such security is known here: add it, or correct its symbol"
        }
        BreakType::PositionMissingInLedger => {
            "the ledger holds none: a purchase or transfer is missing"
        }
        BreakType::PositionMissingInStatement => {
            "the custodian holds none: a sale or transfer is missing"
        }
        _ if found
            .explained_by
            .as_ref()
            .is_some_and(|rows| !rows.is_empty()) =>
        {
            "the unmatched rows account for it"
        }
        _ => "no unmatched row accounts for it",
    };
    format!("The statement holds {statement} {symbol}, the ledger {ledger}; {rest}")
}

/// Cash that differs.
pub(super) fn cash(found: &Break, currency: Currency) -> String {
    let value = |value: Option<Decimal>| money(value.unwrap_or_default(), currency);
    let stated = |text: &Option<String>| value(text.as_deref().and_then(|text| text.parse().ok()));
    format!(
        "Cash in {currency}: statement {}, ledger {}; {} of the difference of {} is explained by unmatched rows and amount differences, {} is not",
        stated(&found.statement_value),
        stated(&found.ledger_value),
        value(found.explained),
        value(found.difference),
        value(found.unexplained),
    )
}

/// Such as `the IBM dividend of 2010-03-10`.
fn subject(row: &Row) -> String {
    let kind = row.kind.replace('_', " ");
    match &row.symbol {
        Some(symbol) => format!("the {symbol} {kind} of {}", row.date),
        None => format!("the {kind} of {}", row.date),
    }
}

/// Such as ` (15.0 % less: withholding tax?)`; nothing when the ledger's amount is zero.
fn deviation(booked: &Row, stated: &Row) -> String {
    if booked.amount.is_zero() {
        return String::new();
    }
    let share = (stated.amount.abs().to_f64() / booked.amount.abs().to_f64() - 1.0) * 100.0;
    let direction = if share < 0.0 { "less" } else { "more" };
    let guess = match booked.kind.as_str() {
        "dividend" | "interest" if share < 0.0 => ": withholding tax?",
        "buy" | "sell" => ": fees?",
        _ => "",
    };
    format!(" ({:.1} % {direction}{guess})", share.abs())
}

/// At least the currency's places, and never fewer than the value has.
fn money(value: Decimal, currency: Currency) -> String {
    let text = value.to_string();
    let places = currency.minor_places() as usize;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.is_empty() && places == 0 {
        return text;
    }
    format!("{whole}.{fraction:0<places$}")
}

fn days(count: i64) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}

fn list(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

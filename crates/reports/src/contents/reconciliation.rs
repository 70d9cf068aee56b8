//! What became of the comparisons with custodians' statements: matches by rule, and the breaks.

use jiff::civil::Date;
use portfolio::store::{BreakRow, Compared};

use super::section;
use crate::document::{Block, Document, Table};
use crate::format::NOTHING;

/// The report on a user's accounts over a period, as their newest comparisons left them.
pub fn reconciliation_report(
    owner: &str,
    accounts: &[Compared],
    (from, to): (Date, Date),
) -> Document {
    Document {
        title: owner.to_owned(),
        subtitle: "Reconciliation report".to_owned(),
        facts: vec![("Period".to_owned(), format!("{from} to {to}"))],
        as_of: to,
        blocks: reconciliation(accounts),
    }
}

/// One section of sums, then each account's breaks.
pub fn reconciliation(accounts: &[Compared]) -> Vec<Block> {
    if accounts.is_empty() {
        let nothing = "No account was compared with a statement of the period.";
        return section("Accounts", Err(nothing));
    }
    let mut table = Table::new(
        &["Account", "Statement", "Result"],
        &["Matches", "Breaks", "Open"],
    );
    table.rows = accounts.iter().map(account).collect();
    let mut blocks = section("Accounts", Ok(table));
    blocks.extend(matches(accounts));
    blocks.extend(accounts.iter().flat_map(breaks));
    blocks
}

fn account(compared: &Compared) -> Vec<String> {
    let open = compared.breaks.iter().filter(|found| waits(found)).count();
    vec![
        compared.account.clone(),
        compared.as_of.to_string(),
        compared.status.clone(),
        compared.matches.values().sum::<i64>().to_string(),
        compared.breaks.len().to_string(),
        open.to_string(),
    ]
}

fn waits(found: &BreakRow) -> bool {
    matches!(found.status.as_str(), "open" | "acknowledged")
}

fn matches(accounts: &[Compared]) -> Vec<Block> {
    let mut table = Table::new(&["Account", "Rule"], &["Matches"]);
    for compared in accounts {
        let rules = compared.matches.iter();
        table.rows.extend(rules.map(|(rule, count)| {
            vec![
                compared.account.clone(),
                rule.replace('_', " "),
                count.to_string(),
            ]
        }));
    }
    if table.rows.is_empty() {
        return section("Matches", Err("Nothing matched."));
    }
    section("Matches", Ok(table))
}

fn breaks(compared: &Compared) -> Vec<Block> {
    let heading = format!("Breaks of {}", compared.account);
    let mut table = Table::new(
        &["Severity", "Type", "Status", "Symbol", "Explanation"],
        &["Ledger", "Statement", "Difference"],
    );
    table.rows = compared.breaks.iter().map(line).collect();
    if table.rows.is_empty() {
        let nothing = match compared.status.as_str() {
            "error" => "The ledger cannot be applied, so nothing was compared.",
            _ => "Ledger and statement agree.",
        };
        return section(&heading, Err(nothing));
    }
    section(&heading, Ok(table))
}

fn line(found: &BreakRow) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| NOTHING.to_owned());
    let symbol = found.symbol.clone().or_else(|| found.currency.clone());
    let difference = found.difference.map(|difference| difference.to_string());
    vec![
        found.severity.clone(),
        found.kind.replace('_', " "),
        found.status.replace('_', " "),
        text(&symbol),
        found.explanation.clone(),
        text(&found.ledger_value),
        text(&found.statement_value),
        text(&difference),
    ]
}

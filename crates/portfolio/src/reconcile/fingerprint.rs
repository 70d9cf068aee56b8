//! What identifies a break over time: its business key, never the line numbers of one statement.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::outcome::Break;
use super::rows::Row;

/// Sets the fingerprint of every break; twins within one run are told apart by their order.
pub(super) fn stamp(account: i64, breaks: &mut [Break], ledger: &[&Row], lines: &[&Row]) {
    let by_id = |rows: &[&Row]| -> HashMap<i64, String> {
        rows.iter().map(|row| (row.id, row_key(row))).collect()
    };
    let (ledger, lines) = (by_id(ledger), by_id(lines));
    let mut seen: HashMap<String, usize> = HashMap::new();
    for found in breaks {
        let mut key = format!("{account}|{:?}|", found.kind);
        let subject = found
            .symbol
            .as_deref()
            .or(found.currency.as_ref().map(|code| code.as_str()));
        key.push_str(subject.unwrap_or_default());
        for (side, ids, keys) in [
            ("ledger", &found.ledger, &ledger),
            ("line", &found.lines, &lines),
        ] {
            let mut rows: Vec<&str> = ids
                .iter()
                .filter_map(|id| keys.get(id))
                .map(String::as_str)
                .collect();
            rows.sort_unstable();
            write!(key, "|{side}:{}", rows.join(";")).expect("writing to a string succeeds");
        }
        let twin = seen.entry(key.clone()).or_default();
        write!(key, "|{twin}").expect("writing to a string succeeds");
        *twin += 1;
        found.fingerprint = hex::encode(Sha256::digest(key.as_bytes()));
    }
}

/// The reference where there is one: amounts and dates may be corrected later.
fn row_key(row: &Row) -> String {
    match &row.reference {
        Some(reference) => format!("ref {reference}"),
        None => format!(
            "{} {} {} {} {} {}",
            row.kind,
            row.symbol.as_deref().unwrap_or_default(),
            row.date,
            row.quantity,
            row.amount,
            row.currency
        ),
    }
}

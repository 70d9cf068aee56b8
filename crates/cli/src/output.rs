//! What commands print: tables for people, JSON for programs. It knows no command.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Prints as JSON, indented.
pub(crate) fn json(data: &impl Serialize) {
    match serde_json::to_string_pretty(data) {
        Ok(text) => line(&text),
        Err(error) => eprintln!("error: cannot be shown as JSON: {error}"),
    }
}

/// Prints a table; what there is none of is said instead of an empty one.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>, nothing: &str) {
    if rows.is_empty() {
        return line(nothing);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headers.to_vec());
    table.add_rows(rows);
    for row in table.to_string().lines() {
        line(row.trim_end());
    }
}

/// Prints one line. A reader that has gone (`celeriac … | head`) is not an error.
pub(crate) fn line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A value as a person reads it: texts plain, everything else as JSON.
pub(crate) fn text(value: &protocol::Value) -> String {
    match value {
        protocol::Value::Null => String::new(),
        protocol::Value::Str(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_else(|error| error.to_string()),
    }
}

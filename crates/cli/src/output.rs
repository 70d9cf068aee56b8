//! What commands print: tables for people, JSON for programs. It knows no command.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

/// Only a line under the headers: what a frame would take is needed on a screen of 80 columns.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Left and right of a cell; the line between columns, of which only the header's is drawn, is one more.
const GAP: (u16, u16) = (0, 1);

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
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headers.to_vec());
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding(GAP);
    }
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

//! What commands print: tables for people, JSON for programs. It knows no command.

use std::borrow::Cow;

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
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

/// Longest word that a column keeps whole: beyond that it is a URL or an id, which may be broken.
const LONGEST_WORD: usize = 48;

/// Prints a table; what there is none of is said instead of an empty one. On a screen that is too narrow for whole words
/// side by side, each row is a record of its own, one field below the other.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>, nothing: &str) {
    if rows.is_empty() {
        return line(nothing);
    }
    let mut table = Table::new();
    let words = widest_words(headers, &rows);
    let gaps = GAP.1 as usize + 1;
    let needed: usize = words.iter().map(|word| word + gaps).sum();
    if table
        .width()
        .is_some_and(|width| needed > usize::from(width))
    {
        return records(headers, &rows);
    }
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headers.to_vec());
    table.add_rows(rows);
    for (column, word) in table.column_iter_mut().zip(words) {
        column.set_padding(GAP);
        let least = u16::try_from(word).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + GAP.1)));
    }
    for row in table.to_string().lines() {
        line(row.trim_end());
    }
}

/// The longest word of each column.
fn widest_words(headers: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let longest = |text: &str| {
        let words = text.split_whitespace().map(|word| word.chars().count());
        words.max().unwrap_or_default().min(LONGEST_WORD)
    };
    let column = |(place, header): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(place));
        let cells = cells.map(|cell| longest(cell)).max();
        cells.unwrap_or_default().max(longest(header))
    };
    headers.iter().enumerate().map(column).collect()
}

/// Prints each row as a block of its fields; empty ones are left out.
fn records(headers: &[&str], rows: &[Vec<String>]) {
    let width = headers.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default();
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            line("");
        }
        for (header, cell) in headers.iter().zip(row) {
            for (place, text) in cell.lines().enumerate() {
                let name = if place == 0 { header } else { "" };
                line(&format!("{name:<width$}  {text}"));
            }
        }
    }
}

/// Prints one line. A reader that has gone (`celeriac … | head`) is not an error.
pub(crate) fn line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{}", harmless(text));
}

/// What a terminal would obey is shown instead: names and arguments in messages may come from anywhere.
fn harmless(text: &str) -> Cow<'_, str> {
    let obeyed = |sign: char| sign.is_control() && !matches!(sign, '\n' | '\t');
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        match obeyed(sign) {
            true => shown.extend(sign.escape_default()),
            false => shown.push(sign),
        }
    }
    Cow::Owned(shown)
}

/// The text's beginning, of at most so many characters.
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A value as a person reads it: texts plain, everything else as JSON.
pub(crate) fn text(value: &protocol::Value) -> String {
    match value {
        protocol::Value::Null => String::new(),
        protocol::Value::Str(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_else(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        let text = "task\u{1b}[31m\r, Müller\t→ one\ntwo\u{9b}";
        assert_eq!(
            harmless(text),
            "task\\u{1b}[31m\\r, Müller\t→ one\ntwo\\u{9b}"
        );
        assert!(matches!(harmless("Müller\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("Müller", 6), "Müller");
        assert_eq!(cut("Müller", 2), "Mü…");
    }
}

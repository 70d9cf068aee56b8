//! A document for programs and spreadsheets: its figures and the cells of its tables, and nothing that is only to be looked at.

use std::collections::BTreeMap;

use csv::{Terminator, WriterBuilder};
use serde_json::{Value, json};

use crate::document::{Block, Document, Table};
use crate::error::{Error, Result};
use crate::export::guarded;
use crate::files::Format;
use crate::pdf::Typeface;
use crate::{html, pdf};

/// The document as a file of any format.
///
/// # Errors
/// When a font is damaged.
pub fn render(document: &Document, format: Format) -> Result<Vec<u8>> {
    match format {
        Format::Pdf => Ok(pdf::render(document, &Typeface::load()?)?.bytes),
        Format::Html => Ok(html::render(document).into_bytes()),
        Format::Json => Ok(json_of(document)),
        Format::Csv => csv_of(document),
    }
}

/// Its sections: headings with what follows each.
fn sections(document: &Document) -> Vec<(&str, &Block)> {
    let mut heading = "";
    let mut found = Vec::new();
    for block in &document.blocks {
        match block {
            Block::Heading(text) => heading = text,
            other => found.push((heading, other)),
        }
    }
    found
}

fn json_of(document: &Document) -> Vec<u8> {
    let sections = sections(document).into_iter();
    let sections: Vec<Value> = sections
        .filter_map(|(heading, block)| {
            let (name, content) = content(block)?;
            Some(json!({ "section": heading, name: content }))
        })
        .collect();
    let facts: BTreeMap<&str, &str> = document
        .facts
        .iter()
        .map(|(label, fact)| (label.as_str(), fact.as_str()))
        .collect();
    let report = json!({
        "schema": "listing/1",
        "title": document.title,
        "subtitle": document.subtitle,
        "as_of": document.as_of,
        "facts": facts,
        "sections": sections,
    });
    format!("{report:#}\n").into_bytes()
}

fn content(block: &Block) -> Option<(&'static str, Value)> {
    Some(match block {
        Block::Note(text) => ("note", json!(text)),
        Block::Figures(figures) => {
            let figures = figures.iter();
            let figures = figures.map(|figure| (figure.label, figure.value.as_str()));
            ("figures", json!(figures.collect::<BTreeMap<_, _>>()))
        }
        Block::Table(table) => ("rows", json!(rows(table))),
        Block::Heading(_) | Block::Chart { .. } => return None,
    })
}

fn rows(table: &Table) -> Vec<BTreeMap<&str, &str>> {
    let titles = || table.columns.iter().map(|column| column.title.as_str());
    let rows = table.rows.iter();
    rows.map(|row| titles().zip(row.iter().map(String::as_str)).collect())
        .collect()
}

/// One line for each cell: section, row, column, value.
fn csv_of(document: &Document) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let failed = |error: csv::Error| Error::Write(error.into());
    let mut write = |section: &str, row: &str, column: &str, value: &str| {
        let cells = [section, row, column, value].map(guarded);
        writer.write_record(cells.iter().map(|cell| cell.as_bytes()))
    };
    write("section", "row", "column", "value").map_err(failed)?;
    for (heading, block) in sections(document) {
        match block {
            Block::Note(text) => write(heading, "", "note", text).map_err(failed)?,
            Block::Figures(figures) => {
                for figure in figures {
                    write(heading, "", figure.label, &figure.value).map_err(failed)?;
                }
            }
            Block::Table(table) => {
                for (number, row) in (1..).zip(&table.rows) {
                    for (column, cell) in table.columns.iter().zip(row) {
                        let number = i64::to_string(&number);
                        write(heading, &number, &column.title, cell).map_err(failed)?;
                    }
                }
            }
            Block::Heading(_) | Block::Chart { .. } => {}
        }
    }
    writer
        .into_inner()
        .map_err(|error| Error::Write(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_there_for_programs() {
        let mut table = Table::new(&["Task"], &["Runs"]);
        table.rows.push(vec!["=demo".to_owned(), "3".to_owned()]);
        let document = Document {
            title: "System".to_owned(),
            subtitle: "Tasks".to_owned(),
            facts: vec![("From".to_owned(), "now".to_owned())],
            as_of: jiff::civil::date(2026, 11, 20),
            blocks: vec![
                Block::Heading("Tasks".to_owned()),
                Block::Note("Few.".to_owned()),
                Block::Table(table),
            ],
        };
        let csv = String::from_utf8(render(&document, Format::Csv).unwrap()).unwrap();
        assert_eq!(
            csv,
            "section,row,column,value\r\nTasks,,note,Few.\r\nTasks,1,Task,'=demo\r\nTasks,1,Runs,3\r\n"
        );
        let json = render(&document, Format::Json).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["sections"][0]["note"], "Few.");
        assert_eq!(json["sections"][1]["rows"][0]["Runs"], "3");
    }
}

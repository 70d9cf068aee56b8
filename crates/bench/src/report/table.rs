//! A table, and its two forms: for the terminal and as Markdown. The first column is text, the others are figures.

use comfy_table::{CellAlignment, Table as Terminal, presets};

/// A table with a title.
#[derive(Debug)]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) title: &'static str,
    /// The columns' names.
    pub(crate) header: Vec<&'static str>,
    /// As many texts in each row as there are columns.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// With lines, for the terminal.
    pub(crate) fn to_terminal(&self) -> Terminal {
        let mut table = Terminal::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_header(&self.header)
            .add_rows(&self.rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    /// As Markdown, without the title.
    pub(crate) fn to_markdown(&self) -> String {
        let rule = std::iter::once("---").chain(self.header.iter().skip(1).map(|_| "--:"));
        let mut text = line(self.header.iter().copied()) + &line(rule);
        for row in &self.rows {
            text += &line(row.iter().map(String::as_str));
        }
        text
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells
        .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
        .collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_keeps_one_line_per_row() {
        let rows = vec![vec!["a|b".to_owned(), "1\n2".to_owned()]];
        let table = Table {
            title: "",
            header: vec!["what", "figure"],
            rows,
        };
        assert_eq!(
            table.to_markdown(),
            "| what | figure |\n| --- | --: |\n| a\\|b | 1 2 |\n"
        );
    }
}

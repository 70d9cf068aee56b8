//! Tables: columns as wide as their cells need, and a header on every page.

use super::layout::{MARGIN, Pages, TEXT_WIDTH, face, text};
use super::lines::lines;
use super::typeface::Typeface;
use crate::chart::{Anchor, INK, Mark, NAVY, PALE, RULE};
use crate::document::{Align, Table};

/// Size of text where the table fits.
const SIZE: f32 = 8.0;
/// Beside the text of a cell where the table fits.
const PAD: f32 = 4.0;
/// Words that are wider are broken where a table is too wide.
const LONG_WORD: f32 = 110.0;

/// A table that is no higher than this is not divided between pages.
const SHORT: f32 = 240.0;

/// How a table is set.
struct Setting {
    size: f32,
    /// Beside the text of a cell.
    pad: f32,
    widths: Vec<f32>,
}

/// Puts a table, over as many pages as it needs.
pub(super) fn put(pages: &mut Pages<'_>, table: &Table) {
    let setting = setting(pages.typeface, table);
    let titles: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.title.clone())
        .collect();
    if !pages.fits(undivided(pages.typeface, table)) {
        pages.break_page();
    }
    pages.y += 4.0;
    header(pages, table, &setting, &titles);
    for row in &table.rows {
        line(pages, table, &setting, &titles, (row, false));
    }
    if let Some(total) = &table.total {
        line(pages, table, &setting, &titles, (total, true));
    }
    pages.y += 8.0;
}

/// The height that must be free where a table begins: all of a short one; of a long one its pages take care.
pub(super) fn undivided(typeface: &Typeface, table: &Table) -> f32 {
    let setting = setting(typeface, table);
    let of = |cells: &[String], bold| height(&setting, &wrapped(typeface, &setting, cells, bold));
    let titles: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.title.clone())
        .collect();
    let mut whole = of(&titles, true) + 4.0;
    // Only as far as it matters.
    for cells in &table.rows {
        whole += of(cells, false);
        if whole > SHORT {
            return 0.0;
        }
    }
    whole + table.total.iter().map(|cells| of(cells, true)).sum::<f32>()
}

fn header(pages: &mut Pages<'_>, table: &Table, setting: &Setting, titles: &[String]) {
    let cells = wrapped(pages.typeface, setting, titles, true);
    let height = height(setting, &cells);
    if !pages.fits(height * 2.0) {
        pages.break_page();
    }
    pages.put(Mark::rectangle((MARGIN, pages.y), TEXT_WIDTH, height, PALE));
    row(pages, table, setting, &cells, true);
    pages.y += height;
}

fn line(
    pages: &mut Pages<'_>,
    table: &Table,
    setting: &Setting,
    titles: &[String],
    (cells, bold): (&[String], bool),
) {
    let cells = wrapped(pages.typeface, setting, cells, bold);
    let height = height(setting, &cells);
    if !pages.fits(height) {
        pages.break_page();
        header(pages, table, setting, titles);
    }
    row(pages, table, setting, &cells, bold);
    pages.y += height;
    pages.put(Mark::rule((MARGIN, pages.y), TEXT_WIDTH, RULE));
}

/// The cells of one row at the current position.
fn row(pages: &mut Pages<'_>, table: &Table, setting: &Setting, cells: &[Vec<String>], bold: bool) {
    let mut left = MARGIN;
    let colour = if bold { NAVY } else { INK };
    for ((column, width), cell) in table.columns.iter().zip(&setting.widths).zip(cells) {
        let (x, anchor) = match column.align {
            Align::Left => (left + setting.pad, Anchor::Start),
            Align::Right => (left + width - setting.pad, Anchor::End),
        };
        for (index, words) in cell.iter().enumerate() {
            let y = pages.y + 4.0 + setting.size * (1.25 * index as f32 + 0.85);
            pages.put(text(
                (x, y),
                anchor,
                face(setting.size, bold, colour),
                words,
            ));
        }
        left += width;
    }
}

fn wrapped(
    typeface: &Typeface,
    setting: &Setting,
    cells: &[String],
    bold: bool,
) -> Vec<Vec<String>> {
    let columns = cells.iter().zip(&setting.widths);
    columns
        .map(|(cell, width)| {
            lines(
                typeface,
                cell,
                setting.size,
                bold,
                width - 2.0 * setting.pad + 0.1,
            )
        })
        .collect()
}

fn height(setting: &Setting, cells: &[Vec<String>]) -> f32 {
    let most = cells.iter().map(Vec::len).max().unwrap_or(1);
    8.0 + setting.size * 1.25 * most as f32 - setting.size * 0.2
}

/// Natural widths where they fit; else columns of words give way, and then the text gets smaller.
fn setting(typeface: &Typeface, table: &Table) -> Setting {
    let mut widths: Vec<f32> = (0..table.columns.len())
        .map(|column| natural(typeface, table, column))
        .collect();
    let surplus = TEXT_WIDTH - widths.iter().sum::<f32>();
    if surplus >= 0.0 {
        let share = surplus / widths.len() as f32;
        widths.iter_mut().for_each(|width| *width += share);
        return Setting {
            size: SIZE,
            pad: PAD,
            widths,
        };
    }
    give_way(typeface, table, &mut widths, -surplus);
    let factor = (TEXT_WIDTH / widths.iter().sum::<f32>()).min(1.0);
    widths.iter_mut().for_each(|width| *width *= factor);
    Setting {
        size: SIZE * factor,
        pad: PAD * factor,
        widths,
    }
}

/// Takes what is too much from columns of words, in proportion to what they can give.
fn give_way(typeface: &Typeface, table: &Table, widths: &mut [f32], excess: f32) {
    let spare: Vec<f32> = (0..widths.len())
        .map(|column| (widths[column] - least(typeface, table, column)).max(0.0))
        .collect();
    let all: f32 = spare.iter().sum();
    if all > 0.0 {
        let part = (excess / all).min(1.0);
        for (width, spare) in widths.iter_mut().zip(spare) {
            *width -= spare * part;
        }
    }
}

/// A column of words is as wide as its longest word, up to a bound; numbers are not broken.
fn least(typeface: &Typeface, table: &Table, column: usize) -> f32 {
    if table.columns[column].align == Align::Right {
        return f32::MAX;
    }
    let title = [&table.columns[column].title];
    let cells = table.rows.iter().map(|row| &row[column]);
    let words = title
        .into_iter()
        .chain(cells)
        .flat_map(|cell| cell.split_whitespace());
    let longest = words
        .map(|word| typeface.width(word, SIZE, true))
        .fold(0.0, f32::max);
    (longest + 2.0 * PAD).min(LONG_WORD)
}

fn natural(typeface: &Typeface, table: &Table, column: usize) -> f32 {
    let plain = table
        .rows
        .iter()
        .map(|row| typeface.width(&row[column], SIZE, false));
    let total = table
        .total
        .iter()
        .map(|row| typeface.width(&row[column], SIZE, true));
    let title = typeface.width(&table.columns[column].title, SIZE, true);
    plain.chain(total).fold(title, f32::max) + 2.0 * PAD
}

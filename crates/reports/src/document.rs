//! A report without pages: what it says, in order. [`crate::pdf`] and [`crate::html`] give it a form.

use jiff::civil::Date;

use crate::chart::Drawing;

/// A whole report.
#[derive(Clone, Debug)]
pub struct Document {
    /// The largest line: the portfolio's name.
    pub title: String,
    /// What kind of report.
    pub subtitle: String,
    /// Labelled facts beside the title: owner, period, currency.
    pub facts: Vec<(String, String)>,
    /// The day it speaks of; also its date of creation.
    pub as_of: Date,
    /// The contents.
    pub blocks: Vec<Block>,
}

/// A piece of a report.
#[derive(Clone, Debug)]
pub enum Block {
    /// The start of a section.
    Heading(String),
    /// A sentence or more.
    Note(String),
    /// Key figures, four in a line.
    Figures(Vec<Figure>),
    /// Rows under a header.
    Table(Table),
    /// A drawing as wide as the text, with its caption.
    Chart {
        /// What it shows.
        caption: String,
        /// How.
        drawing: Drawing,
    },
}

/// One key figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is.
    pub label: &'static str,
    /// The number.
    pub value: String,
}

/// On which side a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column's header.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Its side.
    pub align: Align,
}

/// Rows under a header. Every row has a cell for each column.
#[derive(Clone, Debug)]
pub struct Table {
    /// The header.
    pub columns: Vec<Column>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
    /// Sums below the rows.
    pub total: Option<Vec<String>>,
}

impl Table {
    /// A table without rows: columns of words, then columns of numbers.
    pub fn new(words: &[&str], numbers: &[&str]) -> Table {
        let column = |align| {
            move |title: &&str| Column {
                title: (*title).to_owned(),
                align,
            }
        };
        let words = words.iter().map(column(Align::Left));
        let numbers = numbers.iter().map(column(Align::Right));
        Table {
            columns: words.chain(numbers).collect(),
            rows: Vec::new(),
            total: None,
        }
    }
}

//! The figures for people: tables on the terminal, and docs/benchmarks.md. No figure is written here by hand.

mod aims;
mod document;
mod format;
mod table;
mod tables;

pub(crate) use document::document;

use crate::figures::Figures;

/// Prints the tables.
pub(crate) fn print(figures: &Figures) {
    for table in tables::all(figures) {
        println!("\n{}\n{}", table.title, table.to_terminal());
    }
    for table in [aims::table(figures), tables::parts(figures)] {
        println!("\n{}\n{}", table.title, table.to_terminal());
    }
}

//! A document as PDF 1.7: pages of A4, embedded subsets of fonts, charts as vectors, a fixed date of creation.
//!
//! The layout puts marks on pages, the writer turns pages into bytes. Both measure and set text as the shaper gives it, so that
//! letters join and marks stand where their script wants them.

mod built_in;
mod fallback;
mod font;
mod ink;
mod layout;
mod lines;
mod meaning;
mod order;
mod shape;
mod show;
mod slot;
mod table;
mod typeface;
mod write;

pub use typeface::Typeface;

use std::collections::BTreeSet;

use crate::chart::Mark;
use crate::document::Document;
use crate::error::Result;

/// A document on paper.
#[derive(Clone, Debug)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages.
    pub pages: usize,
    /// Characters that no font has; they are shown as empty boxes.
    pub missing: BTreeSet<char>,
}

/// Writes a document.
///
/// # Errors
/// When a font is damaged.
pub fn render(document: &Document, typeface: &Typeface) -> Result<Pdf> {
    let pages = layout::pages(document, typeface);
    let missing = pages.iter().flatten().flat_map(|mark| match mark {
        Mark::Text { text, .. } => typeface.missing(text),
        Mark::Line { .. } | Mark::Area { .. } => BTreeSet::new(),
    });
    Ok(Pdf {
        missing: missing.collect(),
        pages: pages.len(),
        bytes: write::document(document, &pages, typeface)?,
    })
}

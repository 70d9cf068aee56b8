//! The fonts of a report, and which of them shows what: regular and bold for most of the world's business, more for single
//! scripts, the system's for what they all lack. Those that no text needs are never read.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;

use super::built_in;
use super::fallback;
use super::font::Font;
use super::order::{Part, is_direction, parts, plain};
use super::shape::Glyph;
use super::slot::{Slot, Source};
use crate::error::Result;

/// Fonts for any number of reports.
#[derive(Debug)]
pub struct Typeface {
    slots: Vec<Slot>,
}

/// Text in a row that one font shows in one direction.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    /// An index into the typeface's fonts.
    pub(super) font: usize,
    /// True from left to right.
    pub(super) rightwards: bool,
    /// As it is read.
    pub(super) text: String,
    /// As they stand, from left to right.
    pub(super) glyphs: Vec<Glyph>,
}

impl Typeface {
    /// The built-in fonts with the system's for Chinese, Japanese, Korean and emoji, where there are some.
    ///
    /// # Errors
    /// When the font that `CELERIAC_REPORT_FONT` names cannot be read.
    pub fn load() -> Result<Typeface> {
        let mut typeface = Typeface::built_in()?;
        for font in fallback::fonts() {
            let is_chosen = font.chosen;
            let slot = Slot::new(Source::System(font));
            if is_chosen {
                slot.read()?;
            }
            typeface.slots.push(slot);
        }
        Ok(typeface)
    }

    /// The built-in fonts alone: Latin, Greek, Cyrillic, Hebrew, Arabic, Thai and Devanagari.
    ///
    /// # Errors
    /// Never with the fonts of this version.
    pub fn built_in() -> Result<Typeface> {
        let slots: Vec<Slot> = built_in::ALL
            .iter()
            .map(|font| Slot::new(Source::BuiltIn(font)))
            .collect();
        slots[..built_in::ALWAYS].iter().try_for_each(Slot::read)?;
        Ok(Typeface { slots })
    }

    /// The font of a run.
    pub(super) fn font(&self, index: usize) -> &Font {
        let font = self.slots[index].font();
        font.expect("runs are of fonts that have been read")
    }

    /// How wide a text is, in points.
    pub(super) fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        let runs = self.runs(text, bold);
        runs.iter().map(Run::width).sum::<f32>() * size
    }

    /// A line of text from left to right, cut where the font or the direction changes.
    pub(super) fn runs(&self, text: &str, bold: bool) -> Vec<Run> {
        let text = plain(text);
        let parts = parts(&text).into_iter();
        parts
            .flat_map(|part| self.shaped(&text, &part, bold))
            .collect()
    }

    /// The characters that no font has.
    pub(super) fn missing(&self, text: &str) -> BTreeSet<char> {
        let runs = self.runs(text, false);
        let boxes = runs.iter().flat_map(|run| {
            let clusters = run.clusters().into_iter();
            let boxes = clusters.filter(|(glyphs, _)| glyphs.iter().any(|glyph| glyph.id == 0));
            boxes.flat_map(|(_, text)| text.chars())
        });
        boxes.collect()
    }

    /// A part of a line as runs from left to right.
    fn shaped(&self, text: &str, part: &Part, bold: bool) -> Vec<Run> {
        let mut pieces: Vec<(usize, String)> = Vec::new();
        let text: String = text[part.range.clone()]
            .chars()
            .filter(|character| !is_direction(*character))
            .collect();
        for letter in text.graphemes(true) {
            let font = self.font_of(letter, bold);
            match pieces.last_mut().filter(|(last, _)| *last == font) {
                Some((_, piece)) => piece.push_str(letter),
                None => pieces.push((font, letter.to_owned())),
            }
        }
        if !part.rightwards {
            pieces.reverse();
        }
        let run = |(font, text): (usize, String)| Run {
            glyphs: self.font(font).shape(&text, part.rightwards),
            rightwards: part.rightwards,
            font,
            text,
        };
        pieces.into_iter().map(run).collect()
    }

    /// The first font that has all of a letter with its marks, or at least the letter.
    fn font_of(&self, letter: &str, bold: bool) -> usize {
        let having = |text: &str| {
            let mut fonts = (0..self.slots.len()).filter(|font| self.slots[*font].suits(bold));
            fonts.find(|font| {
                text.chars()
                    .all(|character| self.slots[*font].has(character))
            })
        };
        let first = || letter.chars().next().map(String::from);
        having(letter)
            .or_else(|| having(&first()?))
            .unwrap_or(usize::from(bold))
    }
}

impl Run {
    /// How wide it is at a size of one point.
    pub(super) fn width(&self) -> f32 {
        self.glyphs.iter().map(|glyph| glyph.advance).sum::<f32>() / 1000.0
    }

    /// The glyphs that belong together, from left to right, each with what they show.
    pub(super) fn clusters(&self) -> Vec<(&[Glyph], &str)> {
        let starts: BTreeSet<usize> = self.glyphs.iter().map(|glyph| glyph.cluster).collect();
        let together = self.glyphs.chunk_by(|a, b| a.cluster == b.cluster);
        together
            .map(|glyphs| {
                let start = glyphs[0].cluster;
                let end = starts.range(start + 1..).next();
                (glyphs, &self.text[start..*end.unwrap_or(&self.text.len())])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;

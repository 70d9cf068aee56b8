//! What glyphs mean for those who copy text, search it or have it read to them.

use std::collections::BTreeMap;

use subsetter::GlyphRemapper;
use unicode_bidi::{BidiClass, bidi_class};

use super::font::Font;
use super::shape::Glyph;

/// The glyphs of one font that a file shows.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Old to new glyph numbers.
    pub(super) glyphs: GlyphRemapper,
    /// What new glyphs mean: one text each throughout a file.
    pub(super) meanings: BTreeMap<u16, String>,
}

impl Used {
    /// The new number of a glyph, which gets a meaning unless it has one.
    pub(super) fn code(&mut self, id: u16, meaning: impl FnOnce() -> String) -> u16 {
        let code = self.glyphs.remap(id);
        self.meanings.entry(code).or_insert_with(meaning);
        code
    }

    /// True when the glyphs alone say what they show. A glyph means its letter, or all that it showed when it was first used.
    pub(super) fn meant(&mut self, font: &Font, glyphs: &[Glyph], text: &str) -> bool {
        let mut codes = Vec::new();
        for glyph in glyphs {
            let mut letters = text.chars();
            let letter = letters.find(|letter| font.glyph(*letter) == Some(glyph.id));
            match letter {
                Some(letter) => codes.push(self.code(glyph.id, || letter.to_string())),
                None if glyphs.len() == 1 => codes.push(self.code(glyph.id, || text.to_owned())),
                None => {}
            }
        }
        match (glyphs, codes.as_slice()) {
            ([_], [code]) => self.meanings[code] == text,
            _ => false,
        }
    }
}

/// How glyphs that belong together are read.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    /// What they themselves say.
    pub(super) text: String,
    /// Letters to be hidden to the left of them, from left to right, with their glyphs.
    pub(super) hidden: Vec<(char, u16)>,
}

/// Readers take a line from right to left by turning round what they find from left to right. So a bracket means what is seen, and
/// a glyph for several letters (lam with alef) means the first: the others stand hidden where readers look for them.
pub(super) fn reading(font: &Font, rightwards: bool, glyphs: &[Glyph], text: &str) -> Reading {
    let mut reading = Reading {
        text: text.to_owned(),
        hidden: Vec::new(),
    };
    let mut letters = text.chars();
    let (false, [glyph], Some(first)) = (rightwards, glyphs, letters.next()) else {
        return reading;
    };
    let others = letters.rev().map(|other| Some((other, font.glyph(other)?)));
    match others.collect::<Option<Vec<_>>>() {
        Some(others) if others.is_empty() => {
            if let Some(seen) = mirrored(font, glyph, first) {
                reading.text = seen.to_string();
            }
        }
        Some(others) => {
            reading.text = first.to_string();
            reading.hidden = others;
        }
        None => {}
    }
    reading
}

/// What a bracket looks like that was turned round.
fn mirrored(font: &Font, glyph: &Glyph, sign: char) -> Option<char> {
    let turned = bidi_class(sign) == BidiClass::ON && font.glyph(sign) != Some(glyph.id);
    turned.then(|| font.character(glyph.id)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::typeface::Typeface;

    /// How a line is read, by clusters from left to right; hidden letters are in brackets.
    fn read(text: &str) -> String {
        let typeface = Typeface::built_in().unwrap();
        let runs = typeface.runs(text, false);
        let parts = runs.iter().flat_map(|run| {
            let font = typeface.font(run.font);
            let clusters = run.clusters().into_iter();
            clusters.map(|(glyphs, text)| reading(font, run.rightwards, glyphs, text))
        });
        parts
            .map(|part| {
                let hidden: String = part.hidden.iter().map(|(letter, _)| letter).collect();
                format!(
                    "{}{}",
                    if hidden.is_empty() {
                        hidden
                    } else {
                        format!("<{hidden}>")
                    },
                    part.text
                )
            })
            .collect()
    }

    #[test]
    fn turned_round_it_is_what_was_written() {
        assert_eq!(read("סלאם"), "םאלס");
        assert_eq!(read("سلام"), "م<ا>لس");
        assert_eq!(read("אב (גד)"), "(דג) בא");
        assert_eq!(read("office"), "office");
    }

    #[test]
    fn a_glyph_has_one_meaning() {
        let typeface = Typeface::built_in().unwrap();
        let (mut used, font) = (Used::default(), typeface.font(0));
        let space = font.shape(" ", true);
        assert!(used.meant(font, &space, " "));
        assert!(!used.meant(font, &space, "\u{a0}"));
        assert!(used.meant(font, &space, " "));
        assert_eq!(used.meanings.len(), 1);
    }
}

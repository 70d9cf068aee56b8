//! The fonts of a report: regular and bold for most of the world's business, and one more for what they lack.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;

use super::fallback;
use super::font::Font;
use super::order::visual;
use crate::error::{Error, Result};

const REGULAR: &[u8] = include_bytes!("../../fonts/LiberationSans-Regular.ttf.gz");
const BOLD: &[u8] = include_bytes!("../../fonts/LiberationSans-Bold.ttf.gz");

/// Fonts, read once for any number of reports.
#[derive(Debug)]
pub struct Typeface {
    /// Regular, bold, and perhaps the fallback.
    fonts: Vec<Font>,
}

/// Characters in a row that one font shows.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    /// An index into the typeface's fonts.
    pub(super) font: usize,
    /// Each character with its glyph; glyph 0 is an empty box.
    pub(super) glyphs: Vec<(char, u16)>,
}

impl Typeface {
    /// The built-in fonts with the system's font for Chinese, Japanese and Korean, where there is one.
    ///
    /// # Errors
    /// When the font that `CELERIAC_REPORT_FONT` names cannot be read.
    pub fn load() -> Result<Typeface> {
        let mut typeface = Typeface::built_in()?;
        if let Some(file) = fallback::file() {
            let data = std::fs::read(&file).map_err(|error| Error::Font {
                name: file.display().to_string(),
                problem: format!("{error}; set {} to a TrueType font", fallback::VARIABLE),
            })?;
            let name = file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .replace(' ', "");
            typeface.fonts.push(Font::read(&name, data)?);
        }
        Ok(typeface)
    }

    /// The built-in fonts alone: Latin, Greek and Cyrillic.
    ///
    /// # Errors
    /// Never with the fonts of this version.
    pub fn built_in() -> Result<Typeface> {
        let fonts = vec![
            Font::read("LiberationSans", unpack(REGULAR)?)?,
            Font::read("LiberationSans-Bold", unpack(BOLD)?)?,
        ];
        Ok(Typeface { fonts })
    }

    pub(super) fn fonts(&self) -> &[Font] {
        &self.fonts
    }

    /// How wide a text is, in points.
    pub(super) fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        let runs = self.runs(text, bold);
        let sum: f32 = runs.iter().map(|run| self.run_width(run)).sum();
        sum * size
    }

    /// How wide a run is at a size of one point.
    pub(super) fn run_width(&self, run: &Run) -> f32 {
        let font = &self.fonts[run.font];
        let glyphs = run.glyphs.iter().map(|(_, glyph)| font.advance(*glyph));
        glyphs.sum::<f32>() / 1000.0
    }

    /// A line of text in the order of its glyphs, cut where the font changes.
    pub(super) fn runs(&self, text: &str, bold: bool) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for character in visual(text).chars() {
            let (font, glyph) = self.find(character, bold);
            match runs.last_mut().filter(|run| run.font == font) {
                Some(run) => run.glyphs.push((character, glyph)),
                None => runs.push(Run {
                    font,
                    glyphs: vec![(character, glyph)],
                }),
            }
        }
        runs
    }

    /// The characters that no font has.
    pub(super) fn missing(&self, text: &str) -> BTreeSet<char> {
        let text = visual(text);
        text.chars()
            .filter(|character| self.find(*character, false).1 == 0)
            .collect()
    }

    fn find(&self, character: char, bold: bool) -> (usize, u16) {
        let first = usize::from(bold);
        let order = [first].into_iter().chain(2..self.fonts.len());
        order
            .filter_map(|font| Some((font, self.fonts[font].glyph(character)?)))
            .find(|(_, glyph)| *glyph != 0)
            .unwrap_or((first, 0))
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    GzDecoder::new(packed)
        .read_to_end(&mut data)
        .map_err(|error| Error::Font {
            name: "built-in".to_owned(),
            problem: error.to_string(),
        })?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_greek_and_cyrillic_are_built_in() {
        let typeface = Typeface::built_in().unwrap();
        let text = "Zürich Łódź Αθήνα Київ – “1 234,50 €” ≤";
        assert_eq!(typeface.missing(text), BTreeSet::new());
        assert_eq!(typeface.runs(text, true).len(), 1);
        assert!(typeface.width("WW", 10.0, false) > typeface.width("ii", 10.0, false));
    }

    #[test]
    fn what_no_font_has_is_told() {
        let typeface = Typeface::built_in().unwrap();
        assert_eq!(typeface.missing("a漢\n"), BTreeSet::from(['漢']));
        let runs = typeface.runs("漢", false);
        assert_eq!(runs[0].glyphs, [('漢', 0)]);
    }
}

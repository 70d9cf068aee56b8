//! The fonts that are part of the programs, and the characters that each is for.

use std::io::Read;
use std::ops::RangeInclusive;

use flate2::read::GzDecoder;

use super::font::Font;
use crate::error::{Error, Result};

/// Every block that a font of one script is for.
type Blocks = &'static [RangeInclusive<char>];

/// Not tied to a script.
const ANY: Blocks = &['\0'..=char::MAX];
const ARABIC: Blocks = &[
    '\u{600}'..='\u{6ff}',
    '\u{750}'..='\u{77f}',
    '\u{8a0}'..='\u{8ff}',
    '\u{fb50}'..='\u{fdff}',
    '\u{fe70}'..='\u{feff}',
];
const THAI: Blocks = &['\u{e00}'..='\u{e7f}'];
const DEVANAGARI: Blocks = &[
    '\u{900}'..='\u{97f}',
    '\u{1cd0}'..='\u{1cff}',
    '\u{a8e0}'..='\u{a8ff}',
];

/// A compressed font.
#[derive(Debug)]
pub(super) struct BuiltIn {
    name: &'static str,
    packed: &'static [u8],
    blocks: Blocks,
    pub(super) bold: bool,
}

macro_rules! built_in {
    ($name:literal, $blocks:expr, $bold:expr) => {
        BuiltIn {
            name: $name,
            packed: include_bytes!(concat!("../../fonts/", $name, ".ttf.gz")),
            blocks: $blocks,
            bold: $bold,
        }
    };
}

/// How many of [`ALL`], from the first, have what every report needs.
pub(super) const ALWAYS: usize = 2;

/// In the order in which they are asked for a character.
pub(super) static ALL: [BuiltIn; 8] = [
    built_in!("LiberationSans-Regular", ANY, false),
    built_in!("LiberationSans-Bold", ANY, true),
    built_in!("NotoSansArabic-Regular", ARABIC, false),
    built_in!("NotoSansArabic-Bold", ARABIC, true),
    built_in!("NotoSansThai-Regular", THAI, false),
    built_in!("NotoSansThai-Bold", THAI, true),
    built_in!("NotoSansDevanagari-Regular", DEVANAGARI, false),
    built_in!("NotoSansDevanagari-Bold", DEVANAGARI, true),
];

impl BuiltIn {
    /// True when the font may have a character; says it without unpacking.
    pub(super) fn covers(&self, character: char) -> bool {
        self.blocks.iter().any(|block| block.contains(&character))
    }

    pub(super) fn read(&self) -> Result<Font> {
        let mut data = Vec::new();
        GzDecoder::new(self.packed)
            .read_to_end(&mut data)
            .map_err(|error| Error::Font {
                name: self.name.to_owned(),
                problem: error.to_string(),
            })?;
        Font::read(self.name.trim_end_matches("-Regular"), data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_font_can_be_read_and_has_its_script() {
        for (font, sample) in
            ALL.iter()
                .zip(["Łσж", "Łσж", "محف", "محف", "พอร", "พอร", "निव", "निव"])
        {
            let read = font.read().unwrap();
            for letter in sample.chars() {
                assert!(font.covers(letter), "{}: {letter}", font.name);
                assert_ne!(read.glyph(letter), None, "{}: {letter}", font.name);
            }
        }
    }
}

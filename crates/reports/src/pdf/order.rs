//! The order in which parts of a line stand on paper: Hebrew and Arabic from right to left. The order within a part, mirrored
//! brackets and marks on letters are the shaper's matter.

use std::borrow::Cow;
use std::ops::Range;

use unicode_bidi::{BidiClass, BidiInfo, bidi_class};
use unicode_normalization::UnicodeNormalization;

/// A part of a line that runs in one direction.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// True from left to right.
    pub(super) rightwards: bool,
}

/// One line as it is set: letters and their accents are one character where there is one, line breaks and other control
/// characters are spaces.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if is_ascii(text) {
        return Cow::Borrowed(text);
    }
    let spaced = text.chars().map(|character| match character {
        '\u{2028}' | '\u{2029}' => ' ',
        control if control.is_control() => ' ',
        other => other,
    });
    Cow::Owned(spaced.nfc().collect())
}

/// The parts of a plain line as they follow each other from left to right. The line's first letter says where it begins.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let whole = Part {
        range: 0..text.len(),
        rightwards: true,
    };
    if is_ascii(text) {
        return vec![whole];
    }
    let bidi = BidiInfo::new(text, None);
    let [paragraph] = bidi.paragraphs.as_slice() else {
        return vec![whole];
    };
    let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
    runs.into_iter()
        .map(|range| Part {
            rightwards: levels[range.start].is_ltr(),
            range,
        })
        .collect()
}

/// True of characters that say where a direction begins and ends, and show nothing.
pub(super) fn is_direction(character: char) -> bool {
    use BidiClass::{FSI, LRE, LRI, LRO, PDF, PDI, RLE, RLI, RLO};
    let mark = matches!(character, '\u{200e}' | '\u{200f}' | '\u{61c}');
    mark || matches!(
        bidi_class(character),
        FSI | LRE | LRI | LRO | PDF | PDI | RLE | RLI | RLO
    )
}

fn is_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(&str, bool)> {
        let parts = parts(text).into_iter();
        parts
            .map(|part| (&text[part.range], part.rightwards))
            .collect()
    }

    #[test]
    fn latin_stays_as_it_is() {
        assert!(matches!(plain("IBM (USD) 1,234.50"), Cow::Borrowed(_)));
        assert_eq!(plain("Zürich\n–\u{2029}東京"), "Zürich – 東京");
        assert_eq!(shown("Zürich – 東京"), [("Zürich – 東京", true)]);
    }

    #[test]
    fn an_accent_of_its_own_joins_its_letter() {
        assert_eq!(plain("Socie\u{301}te\u{301}"), "Société");
    }

    #[test]
    fn hebrew_runs_from_right_to_left_amid_latin() {
        let parts = [("Bank ", true), ("הפועלים", false), (" AG 12", true)];
        assert_eq!(shown("Bank הפועלים AG 12"), parts);
    }

    #[test]
    fn a_line_that_begins_in_arabic_runs_from_right_to_left() {
        let parts = [
            ("2024", true),
            (" العالمية ", false),
            ("ETF", true),
            ("محفظة ", false),
        ];
        assert_eq!(shown("محفظة ETF العالمية 2024"), parts);
    }

    #[test]
    fn an_isolated_name_leaves_the_rest_of_its_line_alone() {
        let line = "\u{2068}محفظة ETF\u{2069}, in USD";
        let mut visible = shown(line).into_iter().map(|(text, _)| text);
        assert_eq!(visible.next_back(), Some("\u{2069}, in USD"));
    }
}

//! The order in which characters stand on paper: marks on their letters, Hebrew and Arabic from right to left.

use std::borrow::Cow;

use unicode_bidi::{BidiInfo, Level};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// One line of text as its glyphs follow each other from left to right. Letters and their accents are one character where
/// there is one; line breaks and other control characters are spaces.
pub(super) fn visual(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().map(|character| match character {
        control if control.is_control() => ' ',
        other => other,
    });
    let composed: String = plain.nfc().collect();
    let bidi = BidiInfo::new(&composed, Some(Level::ltr()));
    let [paragraph] = bidi.paragraphs.as_slice() else {
        return Cow::Owned(composed);
    };
    if !bidi.has_rtl() {
        return Cow::Owned(composed);
    }
    let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
    let mut ordered = String::with_capacity(composed.len());
    for run in runs {
        if levels[run.start].is_rtl() {
            backwards(&composed[run], &mut ordered);
        } else {
            ordered.push_str(&composed[run]);
        }
    }
    Cow::Owned(ordered)
}

/// Letters from the last to the first, each before its marks; brackets turn round.
fn backwards(run: &str, ordered: &mut String) {
    let mut letters: Vec<String> = Vec::new();
    for character in run.chars() {
        match letters.last_mut() {
            Some(letter) if is_combining_mark(character) => letter.push(character),
            _ => letters.push(mirrored(character).to_string()),
        }
    }
    ordered.extend(letters.into_iter().rev());
}

fn mirrored(character: char) -> char {
    const PAIRS: [(char, char); 5] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»')];
    let other = PAIRS.iter().find_map(|(left, right)| match character {
        found if found == *left => Some(*right),
        found if found == *right => Some(*left),
        _ => None,
    });
    other.unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_stays_as_it_is() {
        assert!(matches!(visual("IBM (USD) 1,234.50"), Cow::Borrowed(_)));
        assert_eq!(visual("Zürich\n– 東京"), "Zürich – 東京");
    }

    #[test]
    fn an_accent_of_its_own_joins_its_letter() {
        assert_eq!(visual("Socie\u{301}te\u{301}"), "Société");
    }

    #[test]
    fn hebrew_runs_from_right_to_left_amid_latin() {
        assert_eq!(visual("Bank הפועלים AG 12"), "Bank םילעופה AG 12");
        assert_eq!(visual("אב 12"), "12 בא", "numbers keep their order");
        assert_eq!(visual("אב (גד)"), "(דג) בא");
    }

    #[test]
    fn marks_follow_their_letter_in_either_direction() {
        // Bet with dagesh, then alef.
        assert_eq!(visual("ב\u{5bc}א"), "אב\u{5bc}");
    }
}

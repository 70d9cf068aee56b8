//! Breaking text into lines.

use unicode_segmentation::UnicodeSegmentation;

use super::typeface::Typeface;

/// The text in lines no wider than `width` points: broken at spaces, and inside words that are too long on their own,
/// there between letters with all their marks.
pub(super) fn lines(
    typeface: &Typeface,
    text: &str,
    size: f32,
    bold: bool,
    width: f32,
) -> Vec<String> {
    let fits = |line: &str| typeface.width(line, size, bold) <= width;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.len() - 1;
        let joined = if lines[line].is_empty() {
            word.to_owned()
        } else {
            format!("{} {word}", lines[line])
        };
        if fits(&joined) {
            lines[line] = joined;
        } else if fits(word) {
            lines.push(word.to_owned());
        } else {
            break_word(&mut lines, word, &fits);
        }
    }
    lines
}

fn break_word(lines: &mut Vec<String>, word: &str, fits: &dyn Fn(&str) -> bool) {
    if lines.last().is_some_and(|line| !line.is_empty()) {
        lines.push(String::new());
    }
    for letter in word.graphemes(true) {
        let line = lines.len() - 1;
        let longer = format!("{}{letter}", lines[line]);
        if fits(&longer) || lines[line].is_empty() {
            lines[line] = longer;
        } else {
            lines.push(letter.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let typeface = Typeface::built_in().unwrap();
        let text = "International Business Machines Donaudampfschifffahrtsgesellschaftskapitän";
        let lines = lines(&typeface, text, 8.0, false, 80.0);
        assert!(lines.len() >= 4);
        for line in &lines {
            assert!(typeface.width(line, 8.0, false) <= 80.0, "{line}");
        }
        let squeezed: String = lines.concat().replace(' ', "");
        assert_eq!(squeezed, text.replace(' ', ""));
    }

    #[test]
    fn a_mark_is_never_parted_from_its_letter() {
        let typeface = Typeface::built_in().unwrap();
        let lines = lines(&typeface, "ที่ที่ที่", 8.0, false, 1.0);
        assert_eq!(lines, ["ที่", "ที่", "ที่"]);
    }
}

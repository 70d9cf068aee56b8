//! Bytes to text: UTF-8, or the code page that an OFX file's header names.

use std::borrow::Cow;

use super::super::Source;
use super::super::table::problem;
use crate::error::Result;

/// The bytes as UTF-8, without its mark.
pub(super) fn utf8(source: Source<'_>) -> Result<&str> {
    let bytes = source.bytes;
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        let text = format!("line {line} is not UTF-8 text: save the file in UTF-8");
        problem(source.name, &text)
    })
}

/// The text of an OFX file: in code page 1252 when its header says so and it is not UTF-8.
pub(super) fn ofx(source: Source<'_>) -> Result<Cow<'_, str>> {
    let head = &source.bytes[..source.bytes.len().min(500)];
    let head = String::from_utf8_lossy(head).to_uppercase();
    match utf8(source) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) if head.contains("CHARSET:1252") || head.contains("ISO-8859-1") => Ok(Cow::Owned(
            source.bytes.iter().map(|byte| windows(*byte)).collect(),
        )),
        Err(error) => Err(error),
    }
}

/// Code page 1252; what it leaves open is the replacement character.
fn windows(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
        '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ',
        '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => UPPER[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

//! JSON strings.

use std::borrow::Cow;

use super::{scan, syntax};
use crate::error::{DecodeError, DecodeErrorKind};

/// Reads the string whose opening quote is at `pos`; borrows when it has no escapes.
pub(super) fn read<'a>(text: &'a str, pos: &mut usize) -> Result<Cow<'a, str>, DecodeError> {
    let start = *pos + 1;
    let end = plain_end(text, start)?;
    if text.as_bytes()[end] == b'"' {
        *pos = end + 1;
        return Ok(Cow::Borrowed(&text[start..end]));
    }
    let mut owned = String::with_capacity(end - start + 16);
    let mut from = start;
    let mut at = end;
    loop {
        owned.push_str(&text[from..at]);
        if text.as_bytes()[at] == b'"' {
            *pos = at + 1;
            return Ok(Cow::Owned(owned));
        }
        from = escape(text, at, &mut owned)?;
        at = plain_end(text, from)?;
    }
}

/// Position of the next quote or backslash.
fn plain_end(text: &str, from: usize) -> Result<usize, DecodeError> {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    match scan::first_read(rest) {
        Some(len) if rest[len] < 0x20 => {
            Err(syntax("control character inside a string", from + len))
        }
        Some(len) => Ok(from + len),
        None => Err(syntax("string without end", text.len())),
    }
}

/// Reads the escape whose backslash is at `at`; gives the position after it.
fn escape(text: &str, at: usize, out: &mut String) -> Result<usize, DecodeError> {
    let plain = match text.as_bytes().get(at + 1) {
        Some(b'u') => return unicode(text, at, out),
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        _ => return Err(syntax("bad escape in a string", at)),
    };
    out.push(plain);
    Ok(at + 2)
}

fn unicode(text: &str, at: usize, out: &mut String) -> Result<usize, DecodeError> {
    let first = unit(text, at)?;
    if let Some(plain) = char::from_u32(first) {
        out.push(plain);
        return Ok(at + 6);
    }
    let second = unit(text, at + 6)
        .ok()
        .filter(|low| (0xDC00..0xE000).contains(low));
    let pair = second
        .filter(|_| first < 0xDC00)
        .and_then(|low| char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00)));
    match pair {
        Some(joined) => {
            out.push(joined);
            Ok(at + 12)
        }
        None => {
            let detail = format!("lone surrogate \\u{first:04x} in a string: not Unicode text");
            Err(DecodeError::new(DecodeErrorKind::LoneSurrogate, detail))
        }
    }
}

/// The four hex digits of the `\u` escape at `at`.
fn unit(text: &str, at: usize) -> Result<u32, DecodeError> {
    let bytes = text.as_bytes();
    let digits = bytes
        .get(at + 2..at + 6)
        .filter(|_| bytes[at..].starts_with(b"\\u"));
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    digits
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| syntax("bad \\u escape in a string", at))
}

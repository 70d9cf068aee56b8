//! Python's own `repr`: nothing left out, and text escaped as Python does. What exceptions look like in messages to people.

use std::fmt::Write;

use super::python;
use crate::value::Value;

/// The value as Python shows it.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// A set of texts as Python shows it: `{'a', 'b'}`, or `set()`.
pub fn python_set<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for text in texts {
        out.push_str(if out.is_empty() { "{" } else { ", " });
        write_text(&mut out, text);
    }
    if out.is_empty() {
        return "set()".to_owned();
    }
    out.push('}');
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Str(text) => write_text(out, text),
        Value::Bytes(bytes) => write_bytes(out, bytes),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_text(out, key);
                out.push_str(": ");
                write_value(out, item);
            }
            out.push('}');
        }
        scalar => out.push_str(&python::scalar(scalar)),
    }
}

/// Single quotes, unless there are such and no double ones in the text.
fn quote(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

fn write_text(out: &mut String, text: &str) {
    let quote = quote(text.contains('\''), text.contains('"'));
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other == quote => out.extend(['\\', other]),
            other if is_printable(other) => out.push(other),
            other => write_escaped(out, other),
        }
    }
    out.push(quote);
}

/// Python prints everything but controls, separators other than the space, and what is no character.
fn is_printable(character: char) -> bool {
    let separator = character.is_whitespace() && character != ' ';
    let format = matches!(character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}');
    !(character.is_control() || separator || format)
}

fn write_escaped(out: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string cannot fail.
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    let quote = quote(bytes.contains(&b'\''), bytes.contains(&b'"'));
    out.extend(['b', quote]);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(byte) == quote => out.extend(['\\', quote]),
            b' '..=b'~' => out.push(char::from(byte)),
            // As above.
            byte => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    #[test]
    fn text_is_quoted_and_escaped_as_in_python() {
        let cases = [
            ("bad", "'bad'"),
            ("it's", "\"it's\""),
            ("it's \"so\"", "'it\\'s \"so\"'"),
            ("a\nb\tc\\d", "'a\\nb\\tc\\\\d'"),
            ("é日\u{1f600}", "'é日\u{1f600}'"),
            ("\u{7f}\u{a0}\u{2028}\u{200b}", "'\\x7f\\xa0\\u2028\\u200b'"),
        ];
        for (text, shown) in cases {
            assert_eq!(repr(&Value::from(text)), shown);
        }
    }

    #[test]
    fn containers_and_scalars_are_pythons() {
        let map = Map::from_iter([(
            "key",
            Value::List(vec![Value::Null, true.into(), 1.5.into()]),
        )]);
        assert_eq!(repr(&Value::Map(map)), "{'key': [None, True, 1.5]}");
        assert_eq!(repr(&Value::Bytes(b"a'\xff".to_vec())), "b\"a'\\xff\"");
    }
}

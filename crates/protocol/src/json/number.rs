//! Numbers and the bare words of JSON, and floats as Python prints them.

use super::syntax;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::value::{BigInt, Value};

/// Reads a word or a number at `pos`.
pub(super) fn read_scalar(text: &str, pos: &mut usize) -> Result<Value, DecodeError> {
    let rest = &text.as_bytes()[*pos..];
    if let Some(value) = small_integer(rest, pos) {
        return Ok(value);
    }
    if let Some((word, value)) = word(rest) {
        *pos += word.len();
        return Ok(value);
    }
    number(text, pos)
}

/// The bare words of Python's JSON.
fn word(rest: &[u8]) -> Option<(&'static str, Value)> {
    let (word, value) = match rest.first()? {
        b'n' => ("null", Value::Null),
        b't' => ("true", Value::Bool(true)),
        b'f' => ("false", Value::Bool(false)),
        b'N' => ("NaN", Value::Float(f64::NAN)),
        b'I' => ("Infinity", Value::Float(f64::INFINITY)),
        b'-' => ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        _ => return None,
    };
    rest.starts_with(word.as_bytes()).then_some((word, value))
}

/// Digits that always fit an `i64`.
const SMALL: usize = 18;

/// The common case: up to 18 digits followed by something that ends a number.
fn small_integer(rest: &[u8], pos: &mut usize) -> Option<Value> {
    let negative = rest.first() == Some(&b'-');
    let digits = &rest[usize::from(negative)..];
    let mut value = 0_i64;
    let mut len = 0;
    while let Some(digit @ b'0'..=b'9') = digits.get(len) {
        if len == SMALL {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
        len += 1;
    }
    let leading_zero = len > 1 && digits[0] == b'0';
    let goes_on = matches!(digits.get(len), Some(b'.' | b'e' | b'E'));
    if len == 0 || leading_zero || goes_on {
        return None;
    }
    *pos += len + usize::from(negative);
    Some(Value::Int(if negative { -value } else { value }))
}

fn number(text: &str, pos: &mut usize) -> Result<Value, DecodeError> {
    let start = *pos;
    let bytes = text.as_bytes();
    let mut end = start + usize::from(bytes.get(start) == Some(&b'-'));
    let integer = digits(bytes, &mut end);
    if integer == 0 || (integer > 1 && bytes[end - integer] == b'0') {
        return Err(syntax("expected a value", start));
    }
    let mut is_float = false;
    if bytes.get(end) == Some(&b'.') {
        is_float = true;
        end += 1;
        if digits(bytes, &mut end) == 0 {
            return Err(syntax("expected digits after the point", end));
        }
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        is_float = true;
        end += 1;
        end += usize::from(matches!(bytes.get(end), Some(b'+' | b'-')));
        if digits(bytes, &mut end) == 0 {
            return Err(syntax("expected digits in the exponent", end));
        }
    }
    *pos = end;
    if is_float {
        float(&text[start..end])
    } else {
        integer_value(&text[start..end])
    }
}

/// Skips digits and says how many there were.
fn digits(bytes: &[u8], end: &mut usize) -> usize {
    let start = *end;
    while let Some(b'0'..=b'9') = bytes.get(*end) {
        *end += 1;
    }
    *end - start
}

fn float(text: &str) -> Result<Value, DecodeError> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Value::Float(value)),
        _ => Err(DecodeError::new(
            DecodeErrorKind::Value,
            "the number is outside the range of a double and would become infinite",
        )),
    }
}

fn integer_value(text: &str) -> Result<Value, DecodeError> {
    match text.parse::<i64>() {
        Ok(value) => Ok(Value::Int(value)),
        Err(_) => BigInt::parse(text).map(Value::BigInt),
    }
}

/// A float as Python's `json` writes it.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        finite_text(value)
    }
}

/// Python's `repr`: the shortest digits that read back the same, an exponent below 1e-4 and from 1e16.
fn finite_text(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() {
            "-0.0"
        } else {
            "0.0"
        }
        .to_owned();
    }
    let magnitude = value.abs();
    if !(1e-4..1e16).contains(&magnitude) {
        return exponent_text(&format!("{value:e}"));
    }
    let mut text = value.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

/// `1e-7` becomes `1e-07`, `1e300` becomes `1e+300`.
fn exponent_text(rust: &str) -> String {
    let (mantissa, exponent) = rust.split_once('e').unwrap_or((rust, "0"));
    match exponent.strip_prefix('-') {
        Some(digits) => format!("{mantissa}e-{digits:0>2}"),
        None => format!("{mantissa}e+{exponent:0>2}"),
    }
}

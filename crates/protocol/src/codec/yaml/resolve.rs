//! What a scalar without quotes means in YAML 1.1, by the rules of PyYAML's safe loader.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yaml_rust2::parser::Tag;

use super::syntax;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::value::{BigInt, Date, DateTime, Value};

const CORE: &str = "tag:yaml.org,2002:";

/// The short name of one of YAML's own tags.
pub(super) fn tag_name(tag: &Tag) -> Option<String> {
    let full = format!("{}{}", tag.handle, tag.suffix);
    let name = full
        .strip_prefix(CORE)
        .or_else(|| full.strip_prefix("!!"))?;
    (!name.is_empty()).then(|| name.to_owned())
}

pub(super) fn unknown_tag(tag: &Tag) -> DecodeError {
    let detail = format!(
        "YAML tag {}{} is not supported here",
        tag.handle, tag.suffix
    );
    DecodeError::new(DecodeErrorKind::Type, detail)
}

/// A scalar with a tag.
pub(super) fn tagged(text: String, tag: &Tag) -> Result<Value, DecodeError> {
    let name = tag_name(tag);
    let value = match name.as_deref() {
        Some("str") => return Ok(Value::Str(text)),
        Some("binary") => return binary(&text),
        Some("null") => return Ok(Value::Null),
        Some("int" | "float" | "bool" | "timestamp") => plain(text)?,
        _ => return Err(unknown_tag(tag)),
    };
    match value {
        Value::Str(_) => Err(syntax(format!(
            "the text does not fit its tag {}",
            tag.suffix
        ))),
        value => Ok(value),
    }
}

/// A scalar without quotes and tag.
pub(super) fn plain(text: String) -> Result<Value, DecodeError> {
    Ok(match text.as_str() {
        "<<" => return Err(syntax("YAML merge keys are not supported")),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        _ if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            Value::Str(text)
        }
        _ => return number_or_time(text),
    })
}

fn number_or_time(text: String) -> Result<Value, DecodeError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Ok(Value::Float(if negative {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }));
    }
    if let Some(value) = integer(negative, unsigned)? {
        return Ok(value);
    }
    if is_float(unsigned) {
        let digits = unsigned.replace('_', "");
        let value = digits
            .parse::<f64>()
            .map_err(|_| syntax("bad YAML float"))?;
        return Ok(Value::Float(if negative { -value } else { value }));
    }
    timestamp(text)
}

/// Decimal, octal with a leading zero, hexadecimal, binary; underscores are ignored.
fn integer(negative: bool, unsigned: &str) -> Result<Option<Value>, DecodeError> {
    let digits = unsigned.replace('_', "");
    let (radix, body) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(start) if start.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits.as_str()),
    };
    let valid = unsigned.starts_with(|first: char| first.is_ascii_digit())
        && !body.is_empty()
        && body.chars().all(|digit| digit.is_digit(radix));
    if !valid {
        return Ok(None);
    }
    let sign = if negative { "-" } else { "" };
    if let Ok(value) = i64::from_str_radix(&format!("{sign}{body}"), radix) {
        return Ok(Some(Value::Int(value)));
    }
    match radix {
        10 => BigInt::parse(&format!("{sign}{body}")).map(|big| Some(Value::BigInt(big))),
        _ => Err(syntax(
            "a YAML integer of more than 64 bits must be decimal",
        )),
    }
}

/// Digits with a point, perhaps an exponent with a sign.
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let Some((whole, fraction)) = mantissa.split_once('.') else {
        return false;
    };
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let some_digits = format!("{whole}{fraction}")
        .bytes()
        .any(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']);
        unsigned
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    digits(whole) && digits(fraction) && some_digits && exponent_fits
}

/// A date, a date and time, or just text.
fn timestamp(text: String) -> Result<Value, DecodeError> {
    if !looks_like_date(&text) {
        return Ok(Value::Str(text));
    }
    if text.len() == 10 {
        return Date::parse(text).map(Value::Date);
    }
    let (date, clock) = text.split_at(10);
    let Some(clock) = clock.strip_prefix(['T', 't', ' ', '\t']) else {
        return Ok(Value::Str(text));
    };
    let compact: String = clock
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    Ok(match DateTime::parse(format!("{date}T{compact}")) {
        Ok(value) => Value::DateTime(value),
        Err(_) => Value::Str(text),
    })
}

fn looks_like_date(text: &str) -> bool {
    let shape = b"dddd-dd-dd";
    text.len() >= shape.len()
        && text.bytes().zip(shape).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

fn binary(text: &str) -> Result<Value, DecodeError> {
    let compact: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    STANDARD
        .decode(compact)
        .map(Value::Bytes)
        .map_err(|error| syntax(format!("bad base64: {error}")))
}

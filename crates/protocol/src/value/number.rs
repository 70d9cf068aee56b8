//! Integers beyond 64 bits, kept as digits.

use std::fmt;

use crate::error::{DecodeError, DecodeErrorKind};

/// An integer of any size as canonical decimal digits: an optional `-`, no leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BigInt(String);

impl BigInt {
    /// Takes decimal digits with an optional sign.
    ///
    /// # Errors
    /// When `text` is anything else.
    pub fn parse(text: &str) -> Result<Self, DecodeError> {
        if !looks_like_integer(text) {
            let detail = "expected the decimal digits of an integer";
            return Err(DecodeError::new(DecodeErrorKind::Value, detail));
        }
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let digits = digits.trim_start_matches('0');
        Ok(match digits {
            "" => Self("0".to_owned()),
            digits => Self(format!("{sign}{digits}")),
        })
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, where 128 bits are enough.
    pub fn to_i128(&self) -> Option<i128> {
        self.0.parse().ok()
    }

    /// The value, where 128 bits without sign are enough.
    pub fn to_u128(&self) -> Option<u128> {
        self.0.parse().ok()
    }
}

/// True for decimal digits with an optional sign.
pub(crate) fn looks_like_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i128> for BigInt {
    fn from(value: i128) -> Self {
        Self(value.to_string())
    }
}

impl From<u128> for BigInt {
    fn from(value: u128) -> Self {
        Self(value.to_string())
    }
}

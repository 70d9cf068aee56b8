//! Text, JSON and floating-point forms of [`Decimal`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Decimal, SCALE, UNIT};

/// Why a text is not a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDecimalError {
    /// Empty, or anything but a sign, digits and one point (exponents, NaN and Infinity are refused).
    #[error("must be a plain decimal number such as -12.50")]
    Syntax,
    /// More than twelve digits after the point.
    #[error("must have at most 12 digits after the decimal point")]
    TooPrecise,
    /// Not below 10^17.
    #[error("must be below 10^17 in size")]
    TooLarge,
}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Decimal, ParseDecimalError> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(ParseDecimalError::Syntax);
        }
        if !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
        {
            return Err(ParseDecimalError::Syntax);
        }
        let size = parse_digits(
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )?;
        Ok(Decimal(if text.starts_with('-') { -size } else { size }))
    }
}

fn parse_digits(whole: &str, fraction: &str) -> Result<i128, ParseDecimalError> {
    if fraction.len() > SCALE as usize {
        return Err(ParseDecimalError::TooPrecise);
    }
    if whole.len() > 17 {
        return Err(ParseDecimalError::TooLarge);
    }
    let count = |digits: &str| {
        digits
            .bytes()
            .fold(0_i128, |sum, byte| sum * 10 + i128::from(byte - b'0'))
    };
    let missing = SCALE - u32::try_from(fraction.len()).expect("at most twelve digits");
    Ok(count(whole) * UNIT + count(fraction) * 10_i128.pow(missing))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        let (whole, fraction) = (size / UNIT.unsigned_abs(), size % UNIT.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Decimal {
    /// The nearest float; exactly rounded while the digits that matter fit 53 bits.
    pub fn to_f64(self) -> f64 {
        const EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
        let (mut digits, mut scale) = (self.0, UNIT);
        if digits.unsigned_abs() <= EXACT {
            return digits as i64 as f64 / scale as f64;
        }
        for step in [1_000_000, 1_000, 100, 10] {
            while scale % step == 0 && scale > 1 && digits % step == 0 {
                digits /= step;
                scale /= step;
            }
        }
        digits as f64 / scale as f64
    }

    /// `self / divisor` in plain notation: exact when it ends within 60 significant digits, else rounded half-even there.
    pub fn quotient_text(self, divisor: Decimal) -> String {
        let (number, by) = (self.0.unsigned_abs(), divisor.0.unsigned_abs());
        if by == 0 {
            return "0".to_owned();
        }
        let sign = if (self.0 < 0) ^ (divisor.0 < 0) && number != 0 {
            "-"
        } else {
            ""
        };
        let (digits, point) = long_digits(number, by);
        format!("{sign}{}", place_point(&digits, point))
    }
}

/// Significant digits of `number / by` (at most 60) and how many stand before the point.
fn long_digits(number: u128, by: u128) -> (Vec<u8>, usize) {
    let whole = (number / by).to_string();
    let mut digits: Vec<u8> = whole.bytes().map(|byte| byte - b'0').collect();
    let point = digits.len();
    let mut rest = number % by;
    let leading = |digits: &[u8]| digits.iter().take_while(|digit| **digit == 0).count();
    while rest != 0 && digits.len() - leading(&digits) < 60 {
        let (digit, next) = next_digit(rest, by);
        digits.push(digit);
        rest = next;
    }
    if rest > by - rest || (rest == by - rest && digits.last().is_some_and(|digit| digit % 2 == 1))
    {
        return increment(digits, point);
    }
    (digits, point)
}

/// The next digit of a long division and the rest; ten times the rest may need more than 128 bits.
fn next_digit(rest: u128, by: u128) -> (u8, u128) {
    let (mut digit, mut left) = (0, 0_u128);
    for _ in 0..10 {
        if left >= by - rest {
            left -= by - rest;
            digit += 1;
        } else {
            left += rest;
        }
    }
    (digit, left)
}

fn increment(mut digits: Vec<u8>, point: usize) -> (Vec<u8>, usize) {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return (digits, point);
        }
        *digit = 0;
    }
    digits.insert(0, 1);
    (digits, point + 1)
}

fn place_point(digits: &[u8], point: usize) -> String {
    let text: String = digits
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    let (whole, fraction) = text.split_at(point);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

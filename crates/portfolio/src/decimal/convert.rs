//! Text, JSON, binary and floating-point forms of [`Decimal`].

use std::fmt;
use std::str::FromStr;

use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Decimal, MONEY, SCALE, UNIT, small};

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
            .fold(0_u64, |sum, byte| sum * 10 + u64::from(byte - b'0'))
    };
    let missing = SCALE - u32::try_from(fraction.len()).expect("at most twelve digits");
    let fraction = count(fraction) * 10_u64.pow(missing);
    Ok(i128::from(count(whole)) * UNIT + i128::from(fraction))
}

/// Room for a sign, 39 digits and a point.
type Text = [u8; 41];

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; 41]))
    }
}

impl Decimal {
    /// The canonical string, written to the end of `text`.
    fn write(self, text: &mut Text) -> &str {
        let size = self.0.unsigned_abs();
        let mut start = text.len();
        let mut put = |byte: u8| {
            start -= 1;
            text[start] = byte;
        };
        let (whole, fraction) = halves(size);
        if fraction != 0 {
            digits(fraction, SCALE, &mut put);
            put(b'.');
        }
        match u64::try_from(whole) {
            Ok(whole) => digits_of_whole(whole, &mut put),
            Err(_) => whole.to_string().bytes().rev().for_each(&mut put),
        }
        if self.0 < 0 {
            put(b'-');
        }
        std::str::from_utf8(&text[start..]).expect("digits are ASCII")
    }

    /// How many places it needs.
    pub(crate) fn places(self) -> u32 {
        let mut fraction = (self.0 % UNIT) as i64;
        let mut places = if fraction == 0 { 0 } else { SCALE };
        while fraction != 0 && fraction % 10 == 0 {
            fraction /= 10;
            places -= 1;
        }
        places
    }

    /// The count of 10^-12 that it is, where 64 bits hold that.
    pub(crate) fn count(self) -> Option<i64> {
        i64::try_from(self.0).ok()
    }

    /// What [`Decimal::count`] is of.
    pub(crate) fn of_count(count: i64) -> Decimal {
        Decimal(count.into())
    }

    /// As a whole number of 10^-`places`; `None` when it is none, or a larger one than 64 bits hold.
    pub(crate) fn units(self, places: u32) -> Option<i64> {
        let step = 10_i128.pow(SCALE.checked_sub(places)?);
        let whole = self.0 % step == 0;
        i64::try_from(self.0 / step).ok().filter(|_| whole)
    }

    /// What makes decimals out of whole numbers of 10^-`places`, unless these are too many; `None` for one that is not below
    /// [`Decimal::LIMIT`].
    pub(crate) fn from_units(places: u32) -> Option<impl Fn(i64) -> Option<Decimal>> {
        let step = 10_i128.pow(SCALE.checked_sub(places)?);
        Some(move |units| {
            let value = Decimal(i128::from(units) * step);
            (value.abs() < Decimal::LIMIT).then_some(value)
        })
    }

    /// The nearest float; exactly rounded while the digits that matter fit 53 bits.
    pub fn to_f64(self) -> f64 {
        /// What money has no digits of.
        const REST: i128 = 10_i128.pow(SCALE - MONEY);
        if let Ok(count) = i64::try_from(self.0) {
            return small::to_f64(count, UNIT as i64);
        }
        let count = self.0 / REST;
        match i64::try_from(count) {
            Ok(short) if count * REST == self.0 => small::to_f64(short, (UNIT / REST) as i64),
            _ => self.large_to_f64(),
        }
    }

    pub(super) fn large_to_f64(self) -> f64 {
        const EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
        let (mut digits, mut scale) = (self.0, UNIT);
        for step in [1_000_000, 1_000, 100, 10] {
            while digits.unsigned_abs() > EXACT
                && scale % step == 0
                && scale > 1
                && digits % step == 0
            {
                digits /= step;
                scale /= step;
            }
        }
        if digits.unsigned_abs() <= EXACT {
            digits as i64 as f64 / scale as i64 as f64
        } else {
            digits as f64 / scale as f64
        }
    }

    /// `self / divisor` in plain notation: exact when it ends within 60 significant digits, else rounded half-even there.
    pub fn quotient_text(self, divisor: Decimal) -> CompactString {
        if divisor == Decimal::ONE {
            return CompactString::from(self.write(&mut [0; 41]));
        }
        let (number, by) = (self.0.unsigned_abs(), divisor.0.unsigned_abs());
        if by == 0 {
            return CompactString::const_new("0");
        }
        let sign = if (self.0 < 0) ^ (divisor.0 < 0) && number != 0 {
            "-"
        } else {
            ""
        };
        let (digits, point) = long_digits(number, by);
        format_compact!("{sign}{}", place_point(&digits, point))
    }
}

/// The whole part and the twelve digits after the point.
fn halves(size: u128) -> (u128, u64) {
    const UNIT_64: u64 = 10_u64.pow(SCALE);
    match u64::try_from(size) {
        Ok(size) => ((size / UNIT_64).into(), size % UNIT_64),
        Err(_) => {
            let whole = size / u128::from(UNIT_64);
            let rest = size - whole * u128::from(UNIT_64);
            (
                whole,
                u64::try_from(rest).expect("a rest is below its divisor"),
            )
        }
    }
}

/// Puts the digits of a fraction of `places`, last one first, without the zeros at its end.
fn digits(mut fraction: u64, mut places: u32, put: &mut impl FnMut(u8)) {
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        places -= 1;
    }
    for _ in 0..places {
        put(b'0' + (fraction % 10) as u8);
        fraction /= 10;
    }
}

/// Puts all digits, last one first; one for zero.
fn digits_of_whole(mut whole: u64, put: &mut impl FnMut(u8)) {
    loop {
        put(b'0' + (whole % 10) as u8);
        whole /= 10;
        if whole == 0 {
            return;
        }
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

/// A hundredth.
const CENT: i64 = 10_i64.pow(SCALE - 2);
const TOO_LARGE: &str = "a decimal is too large for its binary form";

/// Binary forms hold whole hundredths, as most amounts are, as twice their count; others as twice the count of units and one.
impl Decimal {
    fn short(self) -> Option<i128> {
        match i64::try_from(self.0) {
            Ok(units) if units % CENT == 0 => Some(i128::from(units / CENT) * 2),
            _ => self.0.checked_mul(2)?.checked_add(1),
        }
    }

    fn of_short(short: i128) -> Option<Decimal> {
        let units = short.div_euclid(2);
        if short.rem_euclid(2) == 1 {
            return Some(Decimal(units));
        }
        units.checked_mul(CENT.into()).map(Decimal)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.write(&mut [0; 41]))
        } else {
            let short = self.short().ok_or(TOO_LARGE);
            serializer.serialize_i128(short.map_err(serde::ser::Error::custom)?)
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        if !deserializer.is_human_readable() {
            let short = i128::deserialize(deserializer)?;
            return Decimal::of_short(short).ok_or_else(|| serde::de::Error::custom(TOO_LARGE));
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

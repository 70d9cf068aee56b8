//! Providers' numbers as exact decimals, straight from their text; no binary float on the way.
//!
//! Wider than the ledger's own rule: exponents are read, and digits beyond the twelfth place are rounded half-even away,
//! because they are the noise of a provider's own floats.

use portfolio::decimal::Decimal;

/// Places that a [`Decimal`] holds.
const PLACES: usize = 12;
/// Exponents beyond this are no prices.
const LARGEST_EXPONENT: i32 = 40;
/// Words that mean that there is no number.
const ABSENT: [&str; 8] = ["", "null", "nan", "n/a", "n/d", "none", "-", "."];

/// A number's text as a decimal: `Ok(None)` where the provider has none.
///
/// # Errors
/// When the text is no number, or one that no price can be.
pub(crate) fn decimal(text: &str) -> Result<Option<Decimal>, NotANumber> {
    let text = text.trim();
    if ABSENT.contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    plain(text)
        .and_then(|plain| plain.parse().ok())
        .map(Some)
        .ok_or(NotANumber)
}

/// The text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotANumber;

/// Plain notation with at most twelve places.
fn plain(text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let is_number = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || exponent.abs() > LARGEST_EXPONENT {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()? + exponent;
    Some(format!("{sign}{}", rounded(&placed(&all, point))))
}

/// The digits with a point after the first `point` of them.
fn placed(digits: &str, point: i32) -> String {
    match usize::try_from(point) {
        Err(_) => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        Ok(point) if point >= digits.len() => {
            format!("{digits}{}", "0".repeat(point - digits.len()))
        }
        Ok(point) => format!("{}.{}", &digits[..point], &digits[point..]),
    }
}

/// Half-even to twelve places.
fn rounded(text: &str) -> String {
    let Some((whole, fraction)) = text.split_once('.') else {
        return text.to_owned();
    };
    if fraction.len() <= PLACES {
        return text.to_owned();
    }
    let (kept, dropped) = fraction.split_at(PLACES);
    let mut digits: Vec<u8> = format!("0{whole}{kept}").into_bytes();
    let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
    let tie = dropped.starts_with('5') && dropped[1..].bytes().all(|digit| digit == b'0');
    if if tie {
        odd
    } else {
        dropped.as_bytes()[0] >= b'5'
    } {
        increment(&mut digits);
    }
    let (whole, fraction) = digits.split_at(digits.len() - PLACES);
    let text = |digits: &[u8]| {
        digits
            .iter()
            .map(|digit| char::from(*digit))
            .collect::<String>()
    };
    format!("{}.{}", text(whole), text(fraction))
}

fn increment(digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        decimal(text).unwrap().map(|decimal| decimal.to_string())
    }

    #[test]
    fn text_is_read_exactly() {
        for (text, decimal) in [
            ("44.121", "44.121"),
            ("+0.10", "0.1"),
            ("-1.0", "-1"),
            ("1e-5", "0.00001"),
            ("1.5E3", "1500"),
            ("12E0", "12"),
            (".5", "0.5"),
        ] {
            assert_eq!(read(text).as_deref(), Some(decimal), "{text}");
        }
    }

    #[test]
    fn noise_beyond_twelve_places_is_rounded_half_even() {
        for (text, decimal) in [
            ("1.5755356550216675", "1.575535655022"),
            ("0.9999999999999", "1"),
            ("9.9999999999995", "10"),
            ("0.0000000000005", "0"),
            ("0.0000000000015", "0.000000000002"),
            ("1e-13", "0"),
        ] {
            assert_eq!(read(text).as_deref(), Some(decimal), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_told_apart_from_none() {
        for text in ["", "null", "NaN", "N/D", " - "] {
            assert_eq!(decimal(text), Ok(None), "{text:?}");
        }
        for text in [
            "12,5",
            "1.2.3",
            "0x10",
            "--1",
            "1e99",
            "inf",
            "<b>",
            "1e",
            "999999999999999999",
        ] {
            assert_eq!(decimal(text), Err(NotANumber), "{text:?}");
        }
    }
}

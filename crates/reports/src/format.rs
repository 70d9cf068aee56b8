//! Numbers, and names amid other words, as people read them. Exports don't round; reports do, half-even to the currency's minor unit.

use std::borrow::Cow;

use portfolio::decimal::Decimal;
use portfolio::money::Currency;
use unicode_bidi::{BidiClass, bidi_class};

/// Shown where a figure is undefined.
pub const NOTHING: &str = "–";

/// An amount with the currency's places, thousands set off: `1,234.50`.
pub fn money(amount: Decimal, currency: Currency) -> String {
    let places = currency.minor_places() as usize;
    let text = currency.round(amount).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if places == 0 {
        return grouped(whole);
    }
    format!("{}.{fraction:0<places$}", grouped(whole))
}

/// An amount with its currency: `1,234.50 USD`.
pub fn amount(value: Decimal, currency: Currency) -> String {
    format!("{} {currency}", money(value, currency))
}

/// A name amid other words. One in Hebrew or Arabic keeps its direction to itself.
pub fn isolated(name: &str) -> Cow<'_, str> {
    let leftwards = |letter| matches!(bidi_class(letter), BidiClass::R | BidiClass::AL);
    if name.chars().any(leftwards) {
        return Cow::Owned(format!("\u{2068}{name}\u{2069}"));
    }
    Cow::Borrowed(name)
}

/// A quantity with all its places, thousands set off.
pub fn quantity(value: Decimal) -> String {
    let text = value.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A price in plain notation, cut to what a table holds: at least two and at most six places.
pub fn price(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let kept = fraction.get(..6).unwrap_or(fraction);
    format!("{}.{kept:0<2}", grouped(whole))
}

/// A share or return: `12.34 %`.
pub fn percent(value: Option<f64>) -> String {
    value.map_or_else(
        || NOTHING.to_owned(),
        |value| format!("{} %", fixed(value * 100.0, 2)),
    )
}

/// A ratio with two places.
pub fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| fixed(value, 2))
}

/// A return in per cent with one place and no sign, for dense tables.
pub fn short_percent(value: f64) -> String {
    fixed(value * 100.0, 1)
}

/// Thousands set off, and no minus before a zero.
fn fixed(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let text = match text.strip_prefix('-') {
        Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero,
        _ => &text,
    };
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(text),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_have_the_minor_units_places_and_round_half_even() {
        let currency = |code: &str| code.parse::<Currency>().unwrap();
        assert_eq!(
            money(decimal("1234567.885"), currency("USD")),
            "1,234,567.88"
        );
        assert_eq!(money(decimal("-999.5"), currency("JPY")), "-1,000");
        assert_eq!(money(decimal("0.0005"), currency("KWD")), "0.000");
        assert_eq!(amount(decimal("-1000"), currency("EUR")), "-1,000.00 EUR");
    }

    #[test]
    fn prices_and_ratios_fit_a_table() {
        assert_eq!(price("124"), "124.00");
        assert_eq!(price("33.33333333333333"), "33.333333");
        assert_eq!(percent(Some(-0.000_01)), "0.00 %");
        assert_eq!(percent(Some(-12.345_6)), "-1,234.56 %");
        assert_eq!(percent(None), NOTHING);
        assert_eq!(short_percent(-0.000_4), "0.0");
        assert_eq!(short_percent(-0.002), "-0.2");
        assert_eq!(quantity(decimal("12345.6789")), "12,345.6789");
    }

    #[test]
    fn only_names_from_right_to_left_are_isolated() {
        assert!(matches!(isolated("Zürich 東京 2"), Cow::Borrowed(_)));
        assert_eq!(isolated("محفظة 2"), "\u{2068}محفظة 2\u{2069}");
    }
}

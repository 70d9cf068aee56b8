//! How numbers are written.

/// Shown where there is no figure.
const NONE: &str = "–";

/// A whole number with thousands separated.
pub(crate) fn whole(value: Option<f64>) -> String {
    let Some(value) = value else {
        return NONE.to_owned();
    };
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with this many decimals.
pub(crate) fn decimals(value: Option<f64>, count: usize) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.count$}"))
}

/// `12.3 ×`.
pub(crate) fn times(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.1} ×"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let texts = [7.0, 999.6, 12_345.0, 1_234_567.0].map(|value| whole(Some(value)));
        assert_eq!(texts, ["7", "1,000", "12,345", "1,234,567"]);
        assert_eq!(whole(None), "–");
    }
}

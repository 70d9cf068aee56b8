//! Currencies and their minor units. Rates between them are in [`crate::fx`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::Decimal;

/// An ISO 4217 code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The text is not three letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency code of three letters such as USD")]
pub struct ParseCurrencyError;

impl Currency {
    /// The euro, to which every rate of the table is quoted.
    pub const EUR: Currency = Currency(*b"EUR");

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }

    /// Places of the smallest unit in reports (ISO 4217).
    pub fn minor_places(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// An amount rounded half-even for a report.
    pub fn round(&self, amount: Decimal) -> Decimal {
        amount.round(self.minor_places())
    }
}

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(text: &str) -> Result<Currency, ParseCurrencyError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| ParseCurrencyError)?;
        if code.iter().all(u8::is_ascii_alphabetic) {
            Ok(Currency(code.map(|c| c.to_ascii_uppercase())))
        } else {
            Err(ParseCurrencyError)
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Currency;

    #[test]
    fn reports_round_to_the_minor_unit() {
        for (code, rounded) in [("JPY", "12"), ("USD", "12.34"), ("KWD", "12.345")] {
            let currency: Currency = code.parse().unwrap();
            assert_eq!(
                currency.round("12.345".parse().unwrap()).to_string(),
                rounded
            );
        }
    }

    #[test]
    fn three_letters_only() {
        assert!("US".parse::<Currency>().is_err());
        assert!("U5D".parse::<Currency>().is_err());
        assert_eq!("usd".parse::<Currency>().unwrap().as_str(), "USD");
    }
}

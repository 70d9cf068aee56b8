//! Floats read back exactly as they were written: what is given again must equal what was given first. The JSON reader's
//! own way may miss the last digit.

use std::collections::BTreeMap;
use std::num::ParseFloatError;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// For `deserialize_with`, in structures that are read from JSON texts only.
pub(super) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = <&RawValue>::deserialize(deserializer)?;
    text.get().parse().map_err(D::Error::custom)
}

/// As [`float`], for floats by name.
pub(super) fn floats<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    let texts = BTreeMap::<String, &RawValue>::deserialize(deserializer)?;
    let float = |(name, text): (String, &RawValue)| Ok((name, text.get().parse()?));
    let floats: Result<_, ParseFloatError> = texts.into_iter().map(float).collect();
    floats.map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Kept(#[serde(deserialize_with = "super::float")] f64);

    #[test]
    fn the_last_digit_is_kept() {
        for value in [12.268_133_537_171_053, -0.1, 5e-324, 1e300 / 3.0] {
            let text = serde_json::to_string(&Kept(value)).unwrap();
            let read: Kept = serde_json::from_str(&text).unwrap();
            assert_eq!(read.0.to_bits(), value.to_bits());
        }
    }
}

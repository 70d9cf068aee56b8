//! Floats as their bytes in binary forms: many times faster to read than one by one.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// For `with`.
pub(crate) fn serialize<S: Serializer>(floats: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(size_of_val(floats));
    for float in floats {
        bytes.extend_from_slice(&float.to_le_bytes());
    }
    serializer.serialize_bytes(&bytes)
}

/// For `with`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<f64>, D::Error> {
    deserializer.deserialize_bytes(Floats)
}

struct Floats;

impl Visitor<'_> for Floats {
    type Value = Vec<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of 64-bit floats")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<f64>, E> {
        match bytes.as_chunks::<8>() {
            (floats, []) => Ok(floats
                .iter()
                .map(|bytes| f64::from_le_bytes(*bytes))
                .collect()),
            _ => Err(E::invalid_length(bytes.len(), &self)),
        }
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<f64>, E> {
        self.visit_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bincode::config::standard;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Kept(#[serde(with = "super")] Vec<f64>);

    #[test]
    fn what_is_read_is_what_was_written() {
        for floats in [vec![], vec![1.0], vec![-0.1, 5e-324, f64::MAX, 0.0]] {
            let kept = Kept(floats);
            let bytes = bincode::serde::encode_to_vec(&kept, standard()).unwrap();
            let read = bincode::serde::decode_from_slice::<Kept, _>(&bytes, standard());
            assert_eq!(read.unwrap(), (kept, bytes.len()));
        }
        let text = bincode::serde::encode_to_vec("seven", standard()).unwrap();
        assert!(bincode::serde::decode_from_slice::<Kept, _>(&text, standard()).is_err());
    }
}

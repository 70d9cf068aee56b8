//! The binary form of a portfolio's row: a byte that says which form it is, then bincode.

use std::borrow::Cow;

use bincode::config::{Configuration, standard};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::envelope::Issue;
use super::Payload;

const CONFIGURATION: Configuration = standard();

/// What most rows need.
const ROOM: usize = 8 * 1024;

/// The first byte of all rows. Another one when what follows changes; rows of a form that is not known are made again.
const FORM: u8 = 1;

pub(super) fn bytes(payload: &Payload<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    bincode::serde::encode_into_std_write((FORM, payload), &mut bytes, CONFIGURATION)
        .expect("a row is plain data");
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Option<Payload<'_>> {
    let (form, row) = bytes.split_first()?;
    if *form != FORM {
        return None;
    }
    let (payload, read): (Payload<'_>, usize) =
        bincode::serde::borrow_decode_from_slice(row, CONFIGURATION).ok()?;
    (read == row.len()).then_some(payload)
}

/// Warnings as the text that they make, because their shape says what they are; empty without any.
#[derive(Debug)]
pub(super) struct Warnings<'a>(pub(super) Cow<'a, [Issue]>);

impl Serialize for Warnings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.0 {
            [] => serializer.serialize_str(""),
            some => serializer.serialize_str(&super::json(&some)),
        }
    }
}

impl<'de> Deserialize<'de> for Warnings<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let warnings = match text {
            "" => Vec::new(),
            text => serde_json::from_str(text).map_err(serde::de::Error::custom)?,
        };
        Ok(Warnings(Cow::Owned(warnings)))
    }
}

#[cfg(test)]
mod tests {
    use super::{FORM, read};

    #[test]
    fn what_is_no_row_is_not_read() {
        for bytes in [&[][..], &[FORM], &[0, 1, 2], &[FORM, 255, 255, 255, 255]] {
            assert!(read(bytes).is_none(), "{bytes:?}");
        }
    }
}

//! Writes MessagePack.

use rmpv::Value as Pack;

use super::NAME;
use crate::codec::walk::{Sink, walk};
use crate::error::EncodeError;
use crate::value::{BigInt, Map, Value};

pub(crate) fn encode(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer(Vec::new());
    walk(value, &mut writer)?;
    Ok(writer.0)
}

struct Writer(Vec<u8>);

impl Writer {
    fn pack(&mut self, scalar: &Pack) -> Result<(), EncodeError> {
        rmpv::encode::write_value(&mut self.0, scalar)
            .map_err(|error| EncodeError::unrepresentable(NAME, error.to_string()))
    }

    /// The marker of a list or map: a short form, or a length of two or four bytes.
    fn length(&mut self, len: usize, short: u8, long: u8) -> Result<(), EncodeError> {
        match (u8::try_from(len), u16::try_from(len), u32::try_from(len)) {
            (Ok(len @ 0..=15), ..) => self.0.push(short | len),
            (_, Ok(len), _) => {
                self.0.push(long);
                self.0.extend_from_slice(&len.to_be_bytes());
            }
            (.., Ok(len)) => {
                self.0.push(long + 1);
                self.0.extend_from_slice(&len.to_be_bytes());
            }
            _ => {
                return Err(EncodeError::unrepresentable(
                    NAME,
                    "more than 4 294 967 295 items",
                ));
            }
        }
        Ok(())
    }
}

impl Sink for Writer {
    fn scalar(&mut self, value: &Value) -> Result<(), EncodeError> {
        let pack = match value {
            Value::Null => Pack::Nil,
            Value::Bool(value) => Pack::Boolean(*value),
            Value::Int(value) => Pack::from(*value),
            Value::BigInt(value) => unsigned(value)?,
            Value::Float(value) => Pack::F64(*value),
            Value::Str(text) => Pack::from(text.as_str()),
            Value::Bytes(bytes) => Pack::Binary(bytes.clone()),
            other => return Err(EncodeError::unrepresentable(NAME, other.type_name())),
        };
        self.pack(&pack)
    }

    fn begin_list(&mut self, len: usize) -> Result<(), EncodeError> {
        self.length(len, 0x90, 0xdc)
    }

    fn next_item(&mut self) {}

    fn end_list(&mut self) {}

    fn begin_map(&mut self, map: &Map) -> Result<(), EncodeError> {
        self.length(map.len(), 0x80, 0xde)
    }

    fn key(&mut self, key: &str) {
        self.pack(&Pack::from(key))
            .expect("writing a text to a Vec never fails");
    }

    fn end_map(&mut self) {}
}

fn unsigned(value: &BigInt) -> Result<Pack, EncodeError> {
    match value.to_u128().map(u64::try_from) {
        Some(Ok(value)) => Ok(Pack::from(value)),
        _ => Err(EncodeError::unrepresentable(
            NAME,
            "an integer of more than 64 bits",
        )),
    }
}

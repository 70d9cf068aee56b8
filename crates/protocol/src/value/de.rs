//! From [`Value`] to Rust types.

mod access;
mod dynamic;

use serde::de::{DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use self::access::{Variant, visit_list, visit_map};
use self::dynamic::TypedDeserializer;
use super::{BigInt, VALUE, Value};
use crate::error::{DecodeError, DecodeErrorKind};

/// Reads a Rust type out of a [`Value`].
///
/// # Errors
/// When the value does not fit the type, or is nested deeper than [`crate::SERDE_DEPTH`]; the error names
/// the field.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, DecodeError> {
    T::deserialize(ValueDeserializer { value, depth: 0 })
}

struct ValueDeserializer {
    value: Value,
    depth: usize,
}

impl ValueDeserializer {
    fn visit_big<'de, V: Visitor<'de>>(big: &BigInt, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(Ok(value)) = big.to_u128().map(u64::try_from) {
            return visitor.visit_u64(value);
        }
        match (big.to_i128(), big.to_u128()) {
            (Some(value), _) => visitor.visit_i128(value),
            (None, Some(value)) => visitor.visit_u128(value),
            (None, None) => {
                let detail = "the integer is too large for this type";
                Err(DecodeError::new(DecodeErrorKind::Value, detail))
            }
        }
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::BigInt(value) => Self::visit_big(&value, visitor),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Str(value) => visitor.visit_string(value),
            Value::Bytes(value) => visitor.visit_byte_buf(value),
            Value::DateTime(value) => visitor.visit_string(value.into_string()),
            Value::Date(value) => visitor.visit_string(value.into_string()),
            Value::Time(value) => visitor.visit_string(value.into_string()),
            Value::Decimal(value) => visitor.visit_string(value.into_string()),
            Value::Uuid(value) => visitor.visit_string(value.to_string()),
            Value::List(items) => visit_list(items, self.depth, visitor),
            Value::Map(map) => visit_map(map, self.depth, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == VALUE {
            visitor.visit_newtype_struct(TypedDeserializer(self))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Bytes(bytes) => {
                let items = bytes
                    .into_iter()
                    .map(|byte| Value::Int(i64::from(byte)))
                    .collect();
                visit_list(items, self.depth, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Str(variant) => visitor.visit_enum(variant.into_deserializer()),
            Value::Map(map) if map.len() == 1 => match map.into_iter().next() {
                Some((variant, value)) => visitor.visit_enum(Variant {
                    variant,
                    value,
                    depth: self.depth + 1,
                }),
                None => Err(DecodeError::wrong_type("a variant", "an empty map")),
            },
            other => Err(DecodeError::wrong_type(
                "a variant name or a map with one entry",
                other.type_name(),
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct map struct identifier
    }
}

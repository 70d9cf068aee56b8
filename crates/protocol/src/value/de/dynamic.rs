//! `Deserialize` for [`Value`] itself, from its own deserializer with all types, from others as far as
//! they tell.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::ValueDeserializer;
use super::access::Variant;
use crate::error::DecodeError;
use crate::value::tag::{self, BIGINT, DATE, DATETIME, DECIMAL, TIME, UUID, VALUE};
use crate::value::{BigInt, Key, Map, Value};

/// Hands a value over with its type: scalars that serde does not know as an enum variant.
pub(super) struct TypedDeserializer(pub(super) ValueDeserializer);

impl<'de> Deserializer<'de> for TypedDeserializer {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let ValueDeserializer { value, depth } = self.0;
        let (variant, text) = match value {
            Value::BigInt(value) => (BIGINT, value.to_string()),
            Value::DateTime(value) => (DATETIME, value.into_string()),
            Value::Date(value) => (DATE, value.into_string()),
            Value::Time(value) => (TIME, value.into_string()),
            Value::Decimal(value) => (DECIMAL, value.into_string()),
            Value::Uuid(value) => (UUID, value.to_string()),
            value => return ValueDeserializer { value, depth }.deserialize_any(visitor),
        };
        visitor.visit_enum(Variant {
            variant: variant.into(),
            value: Value::Str(text),
            depth,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(VALUE, ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Map(map) => Ok(map),
            other => Err(de::Error::custom(format_args!(
                "expected a map, found {}",
                other.type_name()
            ))),
        }
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(
            |_| Value::BigInt(BigInt::from(u128::from(value))),
            Value::Int,
        ))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::BigInt(BigInt::from(value)), Value::Int))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::BigInt(BigInt::from(value)), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Str(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Str(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(value))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(0).min(1 << 12));
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = entries.next_entry::<Key, Value>()? {
            map.try_insert(key, value).map_err(|(key, _)| {
                de::Error::custom(format_args!("the key {key:?} occurs twice"))
            })?;
        }
        Ok(Value::Map(map))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (variant, content) = data.variant::<Key>()?;
        let text: String = de::VariantAccess::newtype_variant(content)?;
        tag::parse(&variant, text).map_err(de::Error::custom)
    }
}

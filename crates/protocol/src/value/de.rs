//! From [`Value`] to Rust types, and `Deserialize` for [`Value`] itself.

use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::{BIGINT, BigInt, DATE, DATETIME, DECIMAL, Date, DateTime, Decimal, Map, TIME, Time};
use super::{UUID, VALUE, Value};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::SERDE_DEPTH;

/// Reads a Rust type out of a [`Value`].
///
/// # Errors
/// When the value does not fit the type, or is nested deeper than [`SERDE_DEPTH`]; the error names
/// the field.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, DecodeError> {
    T::deserialize(ValueDeserializer { value, depth: 0 })
}

/// Every variant name a typed value is handed over under.
const TYPES: &[&str] = &[DECIMAL, DATETIME, DATE, TIME, UUID, BIGINT];

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

/// The depth of what is inside a list or map at `depth`.
fn inside(depth: usize) -> Result<usize, DecodeError> {
    if depth >= SERDE_DEPTH {
        let detail =
            format!("nested deeper than the {SERDE_DEPTH} levels a Rust type is read from");
        return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
    }
    Ok(depth + 1)
}

fn visit_list<'de, V: Visitor<'de>>(
    items: Vec<Value>,
    depth: usize,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut access = ListAccess {
        items: items.into_iter(),
        index: 0,
        depth: inside(depth)?,
    };
    let value = visitor.visit_seq(&mut access)?;
    match access.items.len() {
        0 => Ok(value),
        left => {
            let detail = format!("{left} more items than expected");
            Err(DecodeError::new(DecodeErrorKind::Type, detail))
        }
    }
}

fn visit_map<'de, V: Visitor<'de>>(
    map: Map,
    depth: usize,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let depth = inside(depth)?;
    visitor.visit_map(MapAccess {
        entries: map.into_iter(),
        current: None,
        depth,
    })
}

struct ListAccess {
    items: std::vec::IntoIter<Value>,
    index: usize,
    depth: usize,
}

impl<'de> de::SeqAccess<'de> for ListAccess {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(value) = self.items.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        let result = seed.deserialize(ValueDeserializer {
            value,
            depth: self.depth,
        });
        result.map(Some).map_err(|error| error.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct MapAccess {
    entries: super::MapIntoIter,
    current: Option<(String, Value)>,
    depth: usize,
}

impl<'de> de::MapAccess<'de> for MapAccess {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        self.current = self.entries.next();
        let Some((key, _)) = &self.current else {
            return Ok(None);
        };
        let result = seed.deserialize(KeyDeserializer(key));
        result.map(Some).map_err(|error: DecodeError| error.at(key))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        let Some((key, value)) = self.current.take() else {
            return Err(de::Error::custom(
                "a map value was asked for before its key",
            ));
        };
        let inner = ValueDeserializer {
            value,
            depth: self.depth,
        };
        seed.deserialize(inner).map_err(|error| error.at(&key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// Map keys are text on the wire, but Rust maps may have number keys.
struct KeyDeserializer<'a>(&'a str);

macro_rules! number_keys {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match self.0.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDeserializer<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_str(self.0)
    }

    number_keys! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Variant {
    variant: String,
    value: Value,
    depth: usize,
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = DecodeError;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content), DecodeError> {
        let variant = seed.deserialize(KeyDeserializer(&self.variant))?;
        Ok((
            variant,
            Content(ValueDeserializer {
                value: self.value,
                depth: self.depth,
            }),
        ))
    }
}

struct Content(ValueDeserializer);

impl<'de> de::VariantAccess<'de> for Content {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        <()>::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.deserialize_any(visitor)
    }
}

/// Hands a value over with its type: scalars that serde does not know as an enum variant.
struct TypedDeserializer(ValueDeserializer);

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
            variant: variant.to_owned(),
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
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            map.try_insert(key, value).map_err(|(key, _)| {
                de::Error::custom(format_args!("the key {key:?} occurs twice"))
            })?;
        }
        Ok(Value::Map(map))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (variant, content) = data.variant::<String>()?;
        let text: String = de::VariantAccess::newtype_variant(content)?;
        typed(&variant, text).map_err(de::Error::custom)
    }
}

/// The value of a variant that [`TypedDeserializer`] made.
fn typed(variant: &str, text: String) -> Result<Value, DecodeError> {
    match variant {
        DECIMAL => Decimal::parse(text).map(Value::Decimal),
        DATETIME => DateTime::parse(text).map(Value::DateTime),
        DATE => Date::parse(text).map(Value::Date),
        TIME => Time::parse(text).map(Value::Time),
        BIGINT => BigInt::parse(&text).map(Value::BigInt),
        UUID => text.parse().map(Value::Uuid).map_err(de::Error::custom),
        other => Err(de::Error::unknown_variant(other, TYPES)),
    }
}

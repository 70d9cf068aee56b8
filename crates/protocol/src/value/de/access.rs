//! How serde walks lists, maps, map keys and enum variants of a value.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::ValueDeserializer;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::SERDE_DEPTH;
use crate::value::{Key, Map, MapIntoIter, Value};

/// The depth of what is inside a list or map at `depth`.
fn inside(depth: usize) -> Result<usize, DecodeError> {
    if depth >= SERDE_DEPTH {
        let detail =
            format!("nested deeper than the {SERDE_DEPTH} levels a Rust type is read from");
        return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
    }
    Ok(depth + 1)
}

pub(super) fn visit_list<'de, V: Visitor<'de>>(
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

pub(super) fn visit_map<'de, V: Visitor<'de>>(
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
    entries: MapIntoIter,
    current: Option<(Key, Value)>,
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

pub(super) struct Variant {
    pub(super) variant: Key,
    pub(super) value: Value,
    pub(super) depth: usize,
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

pub(super) struct Content(ValueDeserializer);

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

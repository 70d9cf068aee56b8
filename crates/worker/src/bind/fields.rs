//! Finds out which fields a type deserialises from, by asking it and refusing to answer.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Visitor};

/// What a type is to a binder.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A struct with named fields, in the order of its declaration.
    Struct(&'static [&'static str]),
    /// A struct without fields.
    Unit,
    /// Anything else, such as a struct with flattened parts: keywords only.
    Other,
}

/// The shape that `T` asks its deserialiser for.
pub(super) fn shape_of<T: DeserializeOwned>() -> Shape {
    match T::deserialize(Probe) {
        Ok(_) => Shape::Other,
        Err(Asked(shape)) => shape,
    }
}

struct Probe;

/// The "error" that carries the answer out.
#[derive(Debug)]
struct Asked(Shape);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked for a shape")
    }
}

impl std::error::Error for Asked {}

impl serde::de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(Shape::Other)
    }
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked(Shape::Other))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked(Shape::Struct(fields)))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked(Shape::Unit))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

//! From Rust types to [`Value`].
//!
//! Values that serde does not know (decimals, times, UUIDs) travel as newtype structs with a
//! reserved name; any other serializer sees just their text.

mod builders;

use serde::ser::{self, Serialize};

use self::builders::{ListBuilder, MapBuilder, VariantBuilder};

use super::tag::{self, BIGINT, DATE, DATETIME, DECIMAL, TIME, TYPES, UUID};
use super::{BigInt, Map, Value};
use crate::error::EncodeError;
use crate::limits::SERDE_DEPTH;

/// Turns any serialisable type into a [`Value`].
///
/// # Errors
/// When the type's `Serialize` fails, two map keys become the same text, or the nesting goes deeper
/// than [`SERDE_DEPTH`]; the error names the field.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, EncodeError> {
    value.serialize(ValueSerializer { depth: 0 })
}

impl Serialize for Value {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::BigInt(value) => serializer.serialize_newtype_struct(BIGINT, value.as_str()),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::DateTime(value) => serializer.serialize_newtype_struct(DATETIME, value.as_str()),
            Self::Date(value) => serializer.serialize_newtype_struct(DATE, value.as_str()),
            Self::Time(value) => serializer.serialize_newtype_struct(TIME, value.as_str()),
            Self::Decimal(value) => serializer.serialize_newtype_struct(DECIMAL, value.as_str()),
            Self::Uuid(value) => {
                let mut buffer = uuid::Uuid::encode_buffer();
                let text: &str = value.hyphenated().encode_lower(&mut buffer);
                serializer.serialize_newtype_struct(UUID, text)
            }
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

struct ValueSerializer {
    depth: usize,
}

impl ValueSerializer {
    /// The serializer for what is inside a list or map.
    fn inside(self) -> Result<Self, EncodeError> {
        if self.depth >= SERDE_DEPTH {
            return Err(EncodeError::TooDeep { limit: SERDE_DEPTH });
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

macro_rules! integers {
    ($($method:ident $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<Value, EncodeError> {
            Ok(match i64::try_from(value) {
                Ok(small) => Value::Int(small),
                Err(_) => big(value),
            })
        }
    )*};
}

fn big(value: impl std::fmt::Display) -> Value {
    BigInt::parse(&value.to_string()).map_or(Value::Null, Value::BigInt)
}

impl ser::Serializer for ValueSerializer {
    type Ok = Value;
    type Error = EncodeError;
    type SerializeSeq = ListBuilder;
    type SerializeTuple = ListBuilder;
    type SerializeTupleStruct = ListBuilder;
    type SerializeTupleVariant = VariantBuilder<ListBuilder>;
    type SerializeMap = MapBuilder;
    type SerializeStruct = MapBuilder;
    type SerializeStructVariant = VariantBuilder<MapBuilder>;

    integers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
    }

    fn serialize_bool(self, value: bool) -> Result<Value, EncodeError> {
        Ok(Value::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, EncodeError> {
        Ok(Value::Float(f64::from(value)))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, EncodeError> {
        Ok(Value::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, EncodeError> {
        Ok(Value::Str(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, EncodeError> {
        Ok(Value::Str(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, EncodeError> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn serialize_none(self) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, EncodeError> {
        Ok(Value::Str(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, EncodeError> {
        typed(name, value.serialize(self)?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, EncodeError> {
        let value = value.serialize(self).map_err(|error| error.at(variant))?;
        Ok(Value::Map(Map::from_iter([(variant, value)])))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ListBuilder, EncodeError> {
        let items = Vec::with_capacity(len.unwrap_or(0).min(1 << 16));
        Ok(ListBuilder {
            items,
            depth: self.inside()?.depth,
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<ListBuilder, EncodeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<ListBuilder, EncodeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<VariantBuilder<ListBuilder>, EncodeError> {
        Ok(VariantBuilder {
            variant,
            inner: self.serialize_seq(Some(len))?,
        })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<MapBuilder, EncodeError> {
        MapBuilder::new(self)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<MapBuilder, EncodeError> {
        MapBuilder::new(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<VariantBuilder<MapBuilder>, EncodeError> {
        Ok(VariantBuilder {
            variant,
            inner: MapBuilder::new(self)?,
        })
    }
}

/// Gives the text inside a reserved newtype its type back.
fn typed(name: &'static str, value: Value) -> Result<Value, EncodeError> {
    match value {
        Value::Str(text) if TYPES.contains(&name) => {
            tag::parse(name, text).map_err(ser::Error::custom)
        }
        other => Ok(other),
    }
}

//! What serde fills lists, maps and enum variants into.

use serde::ser::{self, Serialize};

use super::{ValueSerializer, to_value};
use crate::error::EncodeError;
use crate::value::{Key, Map, Value};

pub(super) struct ListBuilder {
    pub(super) items: Vec<Value>,
    pub(super) depth: usize,
}

impl ListBuilder {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let index = self.items.len();
        let value = value.serialize(ValueSerializer { depth: self.depth });
        self.items
            .push(value.map_err(|error| error.at(&format!("[{index}]")))?);
        Ok(())
    }
}

impl ser::SerializeSeq for ListBuilder {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Value::List(self.items))
    }
}

impl ser::SerializeTuple for ListBuilder {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Value::List(self.items))
    }
}

impl ser::SerializeTupleStruct for ListBuilder {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.push(value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Value::List(self.items))
    }
}

pub(super) struct MapBuilder {
    map: Map,
    key: Option<Key>,
    depth: usize,
}

impl MapBuilder {
    pub(super) fn new(serializer: ValueSerializer) -> Result<Self, EncodeError> {
        Ok(Self {
            map: Map::new(),
            key: None,
            depth: serializer.inside()?.depth,
        })
    }

    fn put<T: Serialize + ?Sized>(&mut self, key: Key, value: &T) -> Result<(), EncodeError> {
        let value = value.serialize(ValueSerializer { depth: self.depth });
        let value = value.map_err(|error| error.at(&key))?;
        self.map
            .try_insert(key, value)
            .map_err(|(key, _)| EncodeError::Serialize {
                path: key.into_string(),
                message: "two keys of the map have the same text".to_owned(),
            })
    }
}

impl ser::SerializeMap for MapBuilder {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.key = Some(key_text(to_value(key)?)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let key = self.key.take().unwrap_or_default();
        self.put(key, value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Value::Map(self.map))
    }
}

impl ser::SerializeStruct for MapBuilder {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.put(key.into(), value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Value::Map(self.map))
    }
}

/// Map keys as Python's JSON writes them.
fn key_text(key: Value) -> Result<Key, EncodeError> {
    let text = match key {
        Value::Str(text) => text,
        Value::Int(value) => value.to_string(),
        Value::BigInt(value) => value.to_string(),
        Value::Float(value) => crate::json::float_text(value),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
        Value::DateTime(value) => value.to_string(),
        Value::Date(value) => value.to_string(),
        Value::Time(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Uuid(value) => value.to_string(),
        other => {
            let message = format!("a map key must be text, not {}", other.type_name());
            return Err(ser::Error::custom(message));
        }
    };
    Ok(text.into())
}

pub(super) struct VariantBuilder<B> {
    pub(super) variant: &'static str,
    pub(super) inner: B,
}

impl<B> VariantBuilder<B> {
    fn wrap(variant: &'static str, value: Value) -> Value {
        Value::Map(Map::from_iter([(variant, value)]))
    }
}

impl ser::SerializeTupleVariant for VariantBuilder<ListBuilder> {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.inner.push(value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Self::wrap(self.variant, Value::List(self.inner.items)))
    }
}

impl ser::SerializeStructVariant for VariantBuilder<MapBuilder> {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.inner.put(key.into(), value)
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(Self::wrap(self.variant, Value::Map(self.inner.map)))
    }
}

//! Structures with typed fields as maps and as JSON: where their entries are put is all that differs. The way back is [`crate::take`].

use std::borrow::Cow;

use crate::codec::Sink as _;
use crate::error::EncodeError;
use crate::json::Writer;
use crate::value::{Map, Value};

/// Where entries go.
pub(crate) trait Put {
    /// A text.
    fn text(&mut self, name: &str, text: &str);

    /// Any value. Only JSON may be unable to hold it.
    fn value(&mut self, name: &str, value: Cow<'_, Value>) -> Result<(), EncodeError>;

    /// A map whose entries `put` puts.
    fn map(
        &mut self,
        name: &str,
        put: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError>;

    /// A text, if there is one.
    fn text_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A value, if there is one.
    fn value_if(&mut self, name: &str, value: Option<impl Into<Value>>) -> Result<(), EncodeError> {
        value.map_or(Ok(()), |value| self.value(name, Cow::Owned(value.into())))
    }

    /// All entries of a map.
    fn all(&mut self, map: &Map) -> Result<(), EncodeError> {
        let mut entries = map.iter();
        entries.try_for_each(|(name, value)| self.value(name, Cow::Borrowed(value)))
    }
}

/// What is put, as a map.
pub(crate) fn to_map(put: impl FnOnce(&mut Map) -> Result<(), EncodeError>) -> Map {
    let mut map = Map::new();
    put(&mut map).expect("a map holds every value");
    map
}

impl Put for Map {
    fn text(&mut self, name: &str, text: &str) {
        self.insert(name, text);
    }

    fn value(&mut self, name: &str, value: Cow<'_, Value>) -> Result<(), EncodeError> {
        self.insert(name, value.into_owned());
        Ok(())
    }

    fn map(
        &mut self,
        name: &str,
        put: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.insert(name, to_map(put));
        Ok(())
    }
}

impl Put for Writer {
    fn text(&mut self, name: &str, text: &str) {
        self.entry_str(name, text);
    }

    fn value(&mut self, name: &str, value: Cow<'_, Value>) -> Result<(), EncodeError> {
        self.entry(name, &value)
    }

    fn map(
        &mut self,
        name: &str,
        put: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.key(name);
        self.open_map();
        put(self)?;
        self.end_map();
        Ok(())
    }
}

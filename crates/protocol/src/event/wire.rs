//! Events in messages: one map, or a list of maps.

use std::borrow::Cow;

use bytes::Bytes;

use super::{EXCHANGE, Event};
use crate::accept::Accept;
use crate::codec::{Codec, Sink as _};
use crate::control::properties;
use crate::error::{DecodeError, EncodeError};
use crate::json::{Reader, Writer};
use crate::limits::Limits;
use crate::message::{Headers, Message};
use crate::put::{self, Put};
use crate::take::{self, Field, Fields};
use crate::value::{Key, Map, Value};

impl Event {
    /// The message of a single event.
    ///
    /// # Errors
    /// When the codec cannot carry a field; the error names it.
    pub fn to_message(&self, codec: Codec, delivery_tag: &str) -> Result<Message, EncodeError> {
        let body = match codec {
            Codec::Json => written(|writer| self.write(writer)),
            _ => codec.encode(&Value::Map(self.to_map())),
        };
        message(self, body, &self.routing_key(), codec, delivery_tag)
    }

    /// The message of several events of one sender; `None` when there are none.
    ///
    /// # Errors
    /// When the codec cannot carry a field; the error names it.
    pub fn batch_to_message(
        events: &[Self],
        codec: Codec,
        delivery_tag: &str,
    ) -> Result<Option<Message>, EncodeError> {
        let Some(first) = events.first() else {
            return Ok(None);
        };
        let body = match codec {
            Codec::Json => written(|writer| write_all(events, writer)),
            _ => codec.encode(&events.iter().map(Self::to_map).collect::<Vec<_>>().into()),
        };
        let routing_key = format!("{}.multi", first.group());
        message(first, body, &routing_key, codec, delivery_tag).map(Some)
    }

    /// Reads the events of a message, in order.
    ///
    /// # Errors
    /// When the body is neither an event nor a list of them; the error names the field.
    pub fn from_message(
        message: &Message,
        accept: &Accept,
        limits: &Limits,
    ) -> Result<Vec<Self>, DecodeError> {
        let (codec, body) = message.open_body(accept, limits)?;
        let events = match codec {
            Codec::Json => read_json(&body, limits),
            _ => codec.decode(&body, limits).and_then(read_value),
        };
        events.map_err(|error| error.at("body"))
    }

    /// Reads one event map.
    ///
    /// # Errors
    /// When `type` is missing or a common field has the wrong type; the error names it.
    pub fn from_map(map: Map) -> Result<Self, DecodeError> {
        Self::read(Value::Map(map))
    }

    fn read(map: impl Field) -> Result<Self, DecodeError> {
        let read = take::fields::<Parts>(map)?;
        let (parts, _) = read.ok_or_else(|| DecodeError::wrong_type("a map", "null"))?;
        let kind = parts.kind.ok_or_else(|| DecodeError::missing("type"))?;
        Ok(Self {
            kind,
            ..parts.event
        })
    }

    /// What [`Event::to_map`] says, as JSON.
    fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.open_map();
        self.put(writer)?;
        writer.end_map();
        Ok(())
    }

    /// The event as a map, in Python's order. The common fields win over fields of the same name.
    pub fn to_map(&self) -> Map {
        put::to_map(|map| self.put(map))
    }

    fn put(&self, into: &mut impl Put) -> Result<(), EncodeError> {
        into.text("hostname", &self.hostname);
        into.value_if("utcoffset", self.utcoffset)?;
        into.value_if("pid", self.pid)?;
        into.value_if("clock", self.clock)?;
        let own = self.fields.iter();
        for (name, value) in own.filter(|(name, _)| !COMMON.contains(name)) {
            into.value(name, Cow::Borrowed(value))?;
        }
        into.value("timestamp", Cow::Owned(self.timestamp.into()))?;
        into.text("type", &self.kind);
        Ok(())
    }
}

/// An event of which the type may not have come yet.
#[derive(Default)]
struct Parts {
    kind: Option<Key>,
    event: Event,
}

impl Fields for Parts {
    const NAMES: &'static [&'static str] = &COMMON;

    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError> {
        let event = &mut self.event;
        match name {
            "hostname" => event.hostname = field.short_text()?.unwrap_or_default(),
            "utcoffset" => event.utcoffset = take::seconds(&field.value()?)?,
            "pid" => event.pid = take::integer(field.value()?)?,
            "clock" => event.clock = take::integer(field.value()?)?,
            "timestamp" => event.timestamp = take::seconds(&field.value()?)?.unwrap_or(0.0),
            _ => self.kind = field.short_text()?,
        }
        Ok(())
    }

    fn extra(&mut self) -> &mut Map {
        &mut self.event.fields
    }
}

/// Events straight from their text, without a map for each one that holds the common fields too.
fn read_json(body: &[u8], limits: &Limits) -> Result<Vec<Event>, DecodeError> {
    let mut reader = Reader::new(body, limits)?;
    let mut events = Vec::new();
    if reader.at_list() {
        let mut more = reader.begin_list()?;
        while more {
            reader.count_value()?;
            let event = Event::read(&mut reader).map_err(|error| error.at_index(events.len()))?;
            events.push(event);
            more = reader.next_item()?;
        }
    } else {
        events.push(Event::read(&mut reader)?);
    }
    reader.end()?;
    Ok(events)
}

fn read_value(body: Value) -> Result<Vec<Event>, DecodeError> {
    match body {
        Value::List(items) => take::each(items, Event::read),
        single => Event::read(single).map(|event| vec![event]),
    }
}

/// What is the same in every event, and wins over fields of its own.
const COMMON: [&str; 6] = ["hostname", "utcoffset", "pid", "clock", "timestamp", "type"];
/// Bytes of a usual event; of three for a task one is longer.
const ROOM: usize = 320;

/// JSON that is written without a map for each event: a busy worker writes three for a task.
fn written(
    write: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer::with_capacity(ROOM);
    write(&mut writer)?;
    Ok(writer.into_bytes())
}

fn write_all(events: &[Event], writer: &mut Writer) -> Result<(), EncodeError> {
    writer.reserve(events.len() * ROOM);
    writer.begin_list(events.len())?;
    for (place, event) in events.iter().enumerate() {
        if place > 0 {
            writer.next_item();
        }
        event.write(writer)?;
    }
    writer.end_list();
    Ok(())
}

fn message(
    sender: &Event,
    body: Result<Vec<u8>, EncodeError>,
    routing_key: &str,
    codec: Codec,
    delivery_tag: &str,
) -> Result<Message, EncodeError> {
    let mut headers = Headers::default();
    headers.extra.insert("hostname", sender.hostname.as_str());
    Ok(Message {
        headers,
        properties: properties(EXCHANGE, routing_key, 1, delivery_tag),
        content_type: codec.content_type().to_owned(),
        content_encoding: codec.content_encoding().to_owned(),
        body: Bytes::from(body.map_err(|error| error.at("body"))?),
        extra: Map::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn event(clock: Option<i64>, fields: Map) -> Event {
        Event {
            kind: "task-x".into(),
            timestamp: 1_795_230_848.25,
            hostname: "w@h\"".into(),
            pid: Some(7),
            utcoffset: Some(-5.5),
            clock,
            fields,
        }
    }

    #[test]
    fn json_is_written_as_the_map_is() {
        let mut fields = Map::from_iter([("uuid", "1"), ("type", "not this one")]);
        fields.insert("result", Value::Null);
        let events = [event(Some(3), fields), event(None, Map::new())];
        let maps: Vec<Map> = events.iter().map(Event::to_map).collect();
        let expected = Codec::Json.encode(&maps.into()).unwrap();
        let message = Event::batch_to_message(&events, Codec::Json, "tag").unwrap();
        assert_eq!(message.unwrap().body, expected);
        let alone = events[0].to_message(Codec::Json, "tag").unwrap();
        let expected = Codec::Json.encode(&Value::Map(events[0].to_map())).unwrap();
        assert_eq!(alone.body, expected);
    }
}

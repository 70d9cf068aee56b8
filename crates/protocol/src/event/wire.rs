//! Events in messages: one map, or a list of maps.

use bytes::Bytes;

use super::{EXCHANGE, Event};
use crate::accept::Accept;
use crate::codec::Codec;
use crate::control::properties;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Limits;
use crate::message::{Headers, Message};
use crate::take;
use crate::value::{Map, Value};

impl Event {
    /// The message of a single event.
    ///
    /// # Errors
    /// When the codec cannot carry a field; the error names it.
    pub fn to_message(&self, codec: Codec, delivery_tag: &str) -> Result<Message, EncodeError> {
        message(
            self,
            Value::Map(self.to_map()),
            &self.routing_key(),
            codec,
            delivery_tag,
        )
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
        let body = Value::List(
            events
                .iter()
                .map(|event| Value::Map(event.to_map()))
                .collect(),
        );
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
        let body = message.decode_body(accept, limits)?;
        let read = |value| take::map(value).and_then(Self::from_map);
        match body {
            Value::List(items) => take::each(items, read),
            single => read(single).map(|event| vec![event]),
        }
        .map_err(|error| error.at("body"))
    }

    /// Reads one event map.
    ///
    /// # Errors
    /// When `type` is missing or a common field has the wrong type; the error names it.
    pub fn from_map(mut map: Map) -> Result<Self, DecodeError> {
        let kind = take::field(&mut map, "type", take::text)?;
        let timestamp = take::field(&mut map, "timestamp", |value| take::seconds(&value))?;
        Ok(Self {
            kind: kind.ok_or_else(|| DecodeError::missing("type"))?,
            timestamp: timestamp.unwrap_or(0.0),
            hostname: take::field(&mut map, "hostname", take::text)?.unwrap_or_default(),
            pid: take::field(&mut map, "pid", take::integer)?,
            utcoffset: take::field(&mut map, "utcoffset", |value| take::seconds(&value))?,
            clock: take::field(&mut map, "clock", take::integer)?,
            fields: map,
        })
    }

    /// The event as a map, in Python's order. The common fields win over fields of the same name.
    pub fn to_map(&self) -> Map {
        let mut map = Map::new();
        map.insert("hostname", self.hostname.as_str());
        if let Some(utcoffset) = self.utcoffset {
            map.insert("utcoffset", utcoffset);
        }
        if let Some(pid) = self.pid {
            map.insert("pid", pid);
        }
        if let Some(clock) = self.clock {
            map.insert("clock", clock);
        }
        for (name, value) in &self.fields {
            if !map.contains_key(name) {
                map.insert(name.as_str(), value.clone());
            }
        }
        map.insert("timestamp", self.timestamp);
        map.insert("type", self.kind.as_str());
        map
    }
}

fn message(
    sender: &Event,
    body: Value,
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
        body: Bytes::from(codec.encode(&body).map_err(|error| error.at("body"))?),
        extra: Map::new(),
    })
}

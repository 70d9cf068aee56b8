//! A request to one, some or all workers.

use bytes::Bytes;

use super::{EXCHANGE, pattern_matches};
use crate::accept::Accept;
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Limits;
use crate::message::{BodyEncoding, DeliveryInfo, Headers, Message, Properties};
use crate::signature::map_or_null;
use crate::take;
use crate::value::{Map, Value};

/// Where the replies to a request go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyTo {
    /// Exchange; [`super::REPLY_EXCHANGE`] in practice.
    pub exchange: String,
    /// Routing key: the controller's own id.
    pub routing_key: String,
}

impl ReplyTo {
    fn read(value: Value) -> Result<Option<Self>, DecodeError> {
        let mut map = match value {
            Value::Null => return Ok(None),
            value => take::map(value)?,
        };
        Ok(Some(Self {
            exchange: take::field(&mut map, "exchange", take::text)?.unwrap_or_default(),
            routing_key: take::field(&mut map, "routing_key", take::text)?.unwrap_or_default(),
        }))
    }
}

/// A remote control request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Command name, such as `ping`.
    pub method: String,
    /// Arguments of the command.
    pub arguments: Map,
    /// Node names it is for; `None` or empty for no list.
    pub destination: Option<Vec<String>>,
    /// Pattern of node names.
    pub pattern: Option<String>,
    /// How to read `pattern`: `glob` or `pcre`.
    pub matcher: Option<String>,
    /// Id that replies repeat; `None` when no reply is wanted.
    pub ticket: Option<String>,
    /// Where replies go; `None` when no reply is wanted.
    pub reply_to: Option<ReplyTo>,
    /// Lamport clock of the sender.
    pub clock: Option<i64>,
    /// Epoch seconds after which nobody waits any more; 0 or `None` for never.
    pub expires: Option<f64>,
    /// Every other body field.
    pub extra: Map,
}

impl Request {
    /// A request to all workers, without reply.
    pub fn new(method: impl Into<String>, arguments: Map) -> Self {
        Self {
            method: method.into(),
            arguments,
            ..Self::default()
        }
    }

    /// True when the worker `node` must handle the request.
    pub fn is_for(&self, node: &str) -> bool {
        if let Some(names) = self.destination.as_ref().filter(|names| !names.is_empty()) {
            return names.iter().any(|name| name == node);
        }
        match (self.pattern.as_deref(), self.matcher.as_deref()) {
            (Some(pattern), Some(matcher)) if !pattern.is_empty() && !matcher.is_empty() => {
                pattern_matches(matcher, pattern, node)
            }
            _ => true,
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// When the message is not a sound request; the error names the field.
    pub fn from_message(
        message: &Message,
        accept: &Accept,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let body = message.decode_body(accept, limits)?;
        let request = Self::from_body(body).map_err(|error| error.at("body"))?;
        Ok(Self {
            clock: clock(&message.headers)?,
            expires: message.headers.extra.get("expires").and_then(Value::as_f64),
            ..request
        })
    }

    fn from_body(body: Value) -> Result<Self, DecodeError> {
        let mut map = take::map(body)?;
        let method = take::field(&mut map, "method", take::text)?;
        Ok(Self {
            method: method.ok_or_else(|| DecodeError::missing("method"))?,
            arguments: take::field(&mut map, "arguments", map_or_null)?,
            destination: take::field(&mut map, "destination", names)?,
            pattern: take::field(&mut map, "pattern", take::text)?,
            matcher: take::field(&mut map, "matcher", take::text)?,
            ticket: take::field(&mut map, "ticket", take::text)?,
            reply_to: take::field(&mut map, "reply_to", ReplyTo::read)?,
            clock: None,
            expires: None,
            extra: map,
        })
    }

    /// The message to broadcast.
    ///
    /// # Errors
    /// When the codec cannot carry an argument; the error names it.
    pub fn to_message(&self, codec: Codec, delivery_tag: &str) -> Result<Message, EncodeError> {
        let mut headers = Headers::default();
        headers.extra.insert("clock", self.clock);
        headers.extra.insert("expires", self.expires.unwrap_or(0.0));
        Ok(Message {
            headers,
            properties: properties(EXCHANGE, "", 2, delivery_tag),
            content_type: codec.content_type().to_owned(),
            content_encoding: codec.content_encoding().to_owned(),
            body: Bytes::from(
                codec
                    .encode(&self.body())
                    .map_err(|error| error.at("body"))?,
            ),
            extra: Map::new(),
        })
    }

    fn body(&self) -> Value {
        let mut map = Map::new();
        map.insert("method", self.method.as_str());
        map.insert("arguments", self.arguments.clone());
        map.insert("destination", self.destination.clone());
        map.insert("pattern", self.pattern.clone());
        map.insert("matcher", self.matcher.clone());
        if let Some(ticket) = &self.ticket {
            map.insert("ticket", ticket.as_str());
        }
        if let Some(reply_to) = &self.reply_to {
            let fields = [
                ("exchange", &reply_to.exchange),
                ("routing_key", &reply_to.routing_key),
            ];
            let fields = fields.map(|(name, value)| (name, value.as_str()));
            map.insert("reply_to", Map::from_iter(fields));
        }
        map.extend(self.extra.clone());
        Value::Map(map)
    }
}

/// A list of node names, one name, or null.
fn names(value: Value) -> Result<Option<Vec<String>>, DecodeError> {
    match value {
        Value::Str(name) => Ok(Some(vec![name])),
        value => take::texts(value),
    }
}

/// The Lamport clock in the headers of a request or reply.
pub(super) fn clock(headers: &Headers) -> Result<Option<i64>, DecodeError> {
    let value = headers.extra.get("clock").cloned().unwrap_or_default();
    take::integer(value).map_err(|error| error.at("clock").at("headers"))
}

/// Properties of a message that is not a task.
pub(crate) fn properties(exchange: &str, routing_key: &str, mode: i64, tag: &str) -> Properties {
    Properties {
        delivery_mode: Some(mode),
        delivery_info: Some(DeliveryInfo {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            ..DeliveryInfo::default()
        }),
        priority: Some(0),
        body_encoding: Some(BodyEncoding::Base64),
        delivery_tag: Some(tag.to_owned()),
        ..Properties::default()
    }
}

//! The answer of one node to a request.

use bytes::Bytes;

use super::REPLY_EXCHANGE;
use super::request::{clock, properties};
use crate::accept::Accept;
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Limits;
use crate::message::{Headers, Message};
use crate::take;
use crate::value::{Map, Value};

/// A reply: who says what to which request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// Node name of the worker.
    pub node: String,
    /// Whatever the command returned, often `{"ok": …}` or `{"error": …}`.
    pub value: Value,
    /// Ticket of the request.
    pub ticket: Option<String>,
    /// Lamport clock of the worker.
    pub clock: Option<i64>,
}

impl Reply {
    /// Reads a reply.
    ///
    /// # Errors
    /// When the message is not a sound reply; the error names the field.
    pub fn from_message(
        message: &Message,
        accept: &Accept,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let body = message.decode_body(accept, limits)?;
        let map = take::map(body).map_err(|error| error.at("body"))?;
        let mut entries = map.into_iter();
        let (Some((node, value)), None) = (entries.next(), entries.next()) else {
            return Err(DecodeError::wrong_type("one node name", "another map").at("body"));
        };
        let ticket = message
            .headers
            .extra
            .get("ticket")
            .cloned()
            .unwrap_or_default();
        Ok(Self {
            node: node.into(),
            value,
            ticket: take::text(ticket).map_err(|error| error.at("ticket").at("headers"))?,
            clock: clock(&message.headers)?,
        })
    }

    /// The message for the controller with this routing key.
    ///
    /// # Errors
    /// When the codec cannot carry the value; the error names the field.
    pub fn to_message(
        &self,
        routing_key: &str,
        codec: Codec,
        delivery_tag: &str,
    ) -> Result<Message, EncodeError> {
        let mut headers = Headers::default();
        headers.extra.insert("ticket", self.ticket.clone());
        headers.extra.insert("clock", self.clock);
        let body = Value::Map(Map::from_iter([(self.node.clone(), self.value.clone())]));
        Ok(Message {
            headers,
            properties: properties(REPLY_EXCHANGE, routing_key, 1, delivery_tag),
            content_type: codec.content_type().to_owned(),
            content_encoding: codec.content_encoding().to_owned(),
            body: Bytes::from(codec.encode(&body).map_err(|error| error.at("body"))?),
            extra: Map::new(),
        })
    }
}

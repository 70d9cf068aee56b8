//! A broker message: headers, properties and a body of bytes.
//!
//! Knows nothing of what the body means (that is [`crate::TaskRequest`], [`crate::Event`] and
//! [`crate::control`]); the Redis form is in `envelope`.

mod envelope;
mod headers;
mod properties;

use bytes::Bytes;

pub use headers::{Headers, TimeLimit};
pub use properties::{BodyEncoding, DeliveryInfo, Properties};

use crate::accept::Accept;
use crate::codec::Codec;
use crate::compression::{Compression, decompress_named};
use crate::error::DecodeError;
use crate::limits::Limits;
use crate::value::{Map, Value};

/// One message as a broker carries it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Metadata; for protocol 2 everything about the task but its arguments.
    pub headers: Headers,
    /// Delivery details.
    pub properties: Properties,
    /// Mime type of the body; says which codec reads it.
    pub content_type: String,
    /// Character set of the body; empty when the sender said none.
    pub content_encoding: String,
    /// The serialised, perhaps compressed body, without the transport's base64.
    pub body: Bytes,
    /// Fields of the envelope that this version does not know.
    pub extra: Map,
}

impl Message {
    /// The codec of the body.
    ///
    /// # Errors
    /// When the content type is unknown or refused (pickle).
    pub fn codec(&self) -> Result<Codec, DecodeError> {
        Codec::from_wire(&self.content_type, &self.content_encoding)
    }

    /// The compression of the body, if the headers name one.
    ///
    /// # Errors
    /// When the name is unknown.
    pub fn compression(&self) -> Result<Option<Compression>, DecodeError> {
        let name = self.headers.compression.as_deref();
        name.map(Compression::from_name)
            .transpose()
            .map_err(|error| error.at("compression").at("headers"))
    }

    /// Decompresses and decodes the body, if its codec is in `accept`.
    ///
    /// # Errors
    /// When the codec is not accepted, or the body is broken or beyond its limits.
    pub fn decode_body(&self, accept: &Accept, limits: &Limits) -> Result<Value, DecodeError> {
        let (codec, body) = self.open_body(accept, limits)?;
        let decoded = codec.decode(&body, limits);
        decoded.map_err(|error| error.at("body"))
    }

    /// The body without its compression, if its codec is in `accept`.
    pub(crate) fn open_body(
        &self,
        accept: &Accept,
        limits: &Limits,
    ) -> Result<(Codec, Bytes), DecodeError> {
        let codec = self.codec()?;
        accept.check(codec)?;
        let Some(name) = &self.headers.compression else {
            return Ok((codec, self.body.clone()));
        };
        let body = decompress_named(name, &self.body, limits);
        Ok((codec, body.map_err(|error| error.at("body"))?.into()))
    }
}

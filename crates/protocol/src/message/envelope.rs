//! The JSON envelope a message travels in on Redis and in the SQLite broker.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{BodyEncoding, Headers, Message, Properties};
use crate::codec::Sink as _;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::json::{Reader, Writer};
use crate::limits::Limits;
use crate::value::Map;

/// Content type of a body nobody described.
const UNDESCRIBED: &str = "application/data";

impl Message {
    /// Reads an envelope as kombu's Redis transport stores it.
    ///
    /// # Errors
    /// When it is not a sound envelope; the error names the field.
    pub fn from_envelope(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if bytes.len() > limits.payload {
            let detail = format!(
                "envelope of {} bytes, the limit is {}",
                bytes.len(),
                limits.payload
            );
            return Err(DecodeError::new(DecodeErrorKind::TooLarge, detail));
        }
        let mut reader = Reader::new(bytes, limits)?;
        let mut parts = Parts::default();
        let mut more = reader.begin_map()?;
        while more {
            let key = reader.key()?;
            parts
                .field(&key, &mut reader)
                .map_err(|error| error.at(&key))?;
            more = reader.next_entry()?;
        }
        reader.end()?;
        parts.finish()
    }

    /// Writes the envelope as kombu's Redis transport stores it.
    ///
    /// # Errors
    /// When a header cannot be written, or the body is not text though `body_encoding` says so.
    pub fn to_envelope(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::with_capacity(self.body.len() * 4 / 3 + 1_024);
        writer.open_map();
        writer.key("body");
        self.write_body(&mut writer)?;
        if !self.content_encoding.is_empty() {
            writer.entry_str("content-encoding", &self.content_encoding);
        }
        writer.entry_str("content-type", &self.content_type);
        writer.key("headers");
        self.headers
            .write(&mut writer)
            .map_err(|error| error.at("headers"))?;
        writer.key("properties");
        self.properties
            .write(&mut writer)
            .map_err(|error| error.at("properties"))?;
        writer.entries(&self.extra)?;
        writer.end_map();
        Ok(writer.into_bytes())
    }

    fn write_body(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        if self.properties.body_encoding == Some(BodyEncoding::Base64) {
            writer.base64(&self.body);
            return Ok(());
        }
        let text = std::str::from_utf8(&self.body).map_err(|_| {
            let what = "a body of raw bytes without body_encoding base64";
            EncodeError::unrepresentable("envelope", what).at("body")
        })?;
        writer.str(text);
        Ok(())
    }
}

/// The fields seen so far.
#[derive(Default)]
struct Parts<'a> {
    body: Option<Cow<'a, str>>,
    content_encoding: Option<Cow<'a, str>>,
    content_type: Option<Cow<'a, str>>,
    headers: Option<Headers>,
    properties: Option<Properties>,
    extra: Map,
}

impl<'a> Parts<'a> {
    fn field(&mut self, key: &str, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        match key {
            "body" => once(&mut self.body, Some(reader.str()?)),
            "content-encoding" => once(&mut self.content_encoding, reader.str_or_null()?),
            "content-type" => once(&mut self.content_type, reader.str_or_null()?),
            "headers" => once(&mut self.headers, read_unless_null(reader, Headers::read)?),
            "properties" => once(
                &mut self.properties,
                read_unless_null(reader, Properties::read)?,
            ),
            _ => {
                let value = reader.value()?;
                self.extra.try_insert(key, value).map_err(|_| twice())
            }
        }
    }

    fn finish(self) -> Result<Message, DecodeError> {
        let properties = self.properties.unwrap_or_default();
        let text = self.body.ok_or_else(|| DecodeError::missing("body"))?;
        let body = match properties.body_encoding {
            Some(BodyEncoding::Base64) => unbase64(&text)?,
            Some(BodyEncoding::Utf8) | None => Bytes::from(text.into_owned()),
        };
        Ok(Message {
            headers: self.headers.unwrap_or_default(),
            properties,
            content_type: self
                .content_type
                .map_or_else(|| UNDESCRIBED.to_owned(), Cow::into_owned),
            content_encoding: self
                .content_encoding
                .map(Cow::into_owned)
                .unwrap_or_default(),
            body,
            extra: self.extra,
        })
    }
}

fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), DecodeError> {
    if slot.is_some() {
        return Err(twice());
    }
    *slot = value;
    Ok(())
}

fn twice() -> DecodeError {
    DecodeError::new(DecodeErrorKind::DuplicateKey, "the same key occurs twice")
}

fn read_unless_null<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if reader.null() {
        Ok(None)
    } else {
        read(reader).map(Some)
    }
}

fn unbase64(text: &str) -> Result<Bytes, DecodeError> {
    STANDARD.decode(text).map(Bytes::from).map_err(|error| {
        DecodeError::new(DecodeErrorKind::Syntax, format!("bad base64: {error}")).at("body")
    })
}

//! The serializers: names, content types, and the way between [`Value`] and bytes.

mod builder;
mod msgpack;
mod walk;
mod yaml;

pub(crate) use walk::{Sink, walk};

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::json;
use crate::limits::Limits;
use crate::value::Value;

/// The content type of a body that is only the name of a payload stored beside the message (a claim check). Nobody but who has
/// stored it knows what it is, so that a program which does not get the payload first never runs the task without it.
pub const CLAIM_CONTENT_TYPE: &str = "application/x-celeriac-claim";

/// A serializer of message bodies and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Codec {
    /// Python's JSON with kombu's typed values; the default.
    #[default]
    Json,
    /// MessagePack, text and bytes kept apart.
    Msgpack,
    /// YAML 1.1 as PyYAML reads it; written in flow style with every text quoted.
    Yaml,
    /// Plain text.
    Text,
    /// Bytes as they are.
    Raw,
    /// Signed content; opened and made by the module `auth`, which is a feature of this crate.
    Auth,
}

/// Every codec with its names and types: (codec, name, aliases, content type, content encoding).
const TABLE: [(Codec, &str, &[&str], &str, &str); 6] = [
    (
        Codec::Json,
        "json",
        &["application/json"],
        "application/json",
        "utf-8",
    ),
    (
        Codec::Msgpack,
        "msgpack",
        &[
            "application/x-msgpack",
            "application/msgpack",
            "application/vnd.msgpack",
        ],
        "application/x-msgpack",
        "binary",
    ),
    (
        Codec::Yaml,
        "yaml",
        &["application/x-yaml", "application/yaml"],
        "application/x-yaml",
        "utf-8",
    ),
    (
        Codec::Text,
        "text",
        &["text/plain", "application/text"],
        "text/plain",
        "utf-8",
    ),
    (
        Codec::Raw,
        "raw",
        &["application/data"],
        "application/data",
        "binary",
    ),
    (Codec::Auth, "auth", &[], "application/data", "utf-8"),
];

const PICKLE: [&str; 3] = [
    "pickle",
    "application/x-python-serialize",
    "application/x-python-pickle",
];

impl Codec {
    /// Finds a codec by its name or content type.
    ///
    /// # Errors
    /// When it is unknown, or pickle, which is refused.
    pub fn from_name_or_content_type(name: &str) -> Result<Self, DecodeError> {
        let found = TABLE
            .iter()
            .find(|(_, own, aliases, ..)| *own == name || aliases.contains(&name));
        match found {
            Some((codec, ..)) => Ok(*codec),
            None if PICKLE.contains(&name) => Err(pickle()),
            None => Err(unknown(name)),
        }
    }

    /// Finds the codec of a message. Signed and raw content share a content type; their encodings differ.
    pub(crate) fn from_wire(content_type: &str, encoding: &str) -> Result<Self, DecodeError> {
        match content_type {
            "application/data" if encoding == "utf-8" => Ok(Self::Auth),
            "" => Ok(Self::Raw),
            CLAIM_CONTENT_TYPE => {
                let detail = "the payload that was stored beside this message is gone, or celeriac_claim_check_threshold is not set here";
                Err(DecodeError::new(DecodeErrorKind::Missing, detail))
            }
            other => {
                Self::from_name_or_content_type(other).map_err(|error| error.at("content-type"))
            }
        }
    }

    fn row(
        self,
    ) -> &'static (
        Self,
        &'static str,
        &'static [&'static str],
        &'static str,
        &'static str,
    ) {
        TABLE
            .iter()
            .find(|(codec, ..)| *codec == self)
            .expect("every codec has a row in the table")
    }

    /// The short name, as in `task_serializer`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The mime type.
    pub fn content_type(self) -> &'static str {
        self.row().3
    }

    /// The character set, or `binary`.
    pub fn content_encoding(self) -> &'static str {
        self.row().4
    }

    /// Writes a value.
    ///
    /// # Errors
    /// When the codec has no form for it; the error names the field.
    pub fn encode(self, value: &Value) -> Result<Vec<u8>, EncodeError> {
        match (self, value) {
            (Self::Json, _) => json::encode(value),
            (Self::Yaml, _) => yaml::encode(value),
            (Self::Msgpack, _) => msgpack::encode(value),
            (Self::Text, Value::Str(text)) => Ok(text.clone().into_bytes()),
            (Self::Raw, Value::Bytes(bytes)) => Ok(bytes.clone()),
            (Self::Auth, _) => Err(EncodeError::Codec {
                name: "auth".to_owned(),
                hint: "sign the content with a key: auth::Signer",
            }),
            (_, other) => Err(EncodeError::unrepresentable(self.name(), other.type_name())),
        }
    }

    /// Reads a value within `limits`.
    ///
    /// # Errors
    /// When the bytes are not sound or beyond a limit; the error names the field.
    pub fn decode(self, bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
        let largest = limits.payload.max(limits.decompressed);
        if bytes.len() > largest {
            let detail = format!("{} bytes, the limit is {largest}", bytes.len());
            return Err(DecodeError::new(DecodeErrorKind::TooLarge, detail));
        }
        match self {
            Self::Json => json::decode(bytes, limits),
            Self::Msgpack => msgpack::decode(bytes, limits),
            Self::Yaml => yaml::decode(bytes, limits),
            Self::Text => text(bytes).map(|text| Value::Str(text.to_owned())),
            Self::Raw => Ok(Value::Bytes(bytes.to_vec())),
            Self::Auth => Err(DecodeError::new(
                DecodeErrorKind::Signature,
                "the content is signed; set up certificates to verify it",
            )),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes)
        .map_err(|error| DecodeError::new(DecodeErrorKind::Syntax, format!("not text: {error}")))
}

fn pickle() -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Pickle,
        "pickle is refused because reading it runs code; set task_serializer and result_serializer \
         of the sender to json (or msgpack)",
    )
}

fn unknown(name: &str) -> DecodeError {
    let shown: String = name.chars().take(80).collect();
    let detail =
        format!("unknown serializer {shown:?}; known are json, msgpack, yaml, auth, raw and text");
    DecodeError::new(DecodeErrorKind::UnknownCodec, detail)
}

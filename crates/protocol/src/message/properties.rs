//! The message properties.

use std::borrow::Cow;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::json::{self, Reader, Writer};
use crate::take::{self, Entries, Field, Seen};
use crate::value::{Map, Value};

/// How a text-only transport carries the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEncoding {
    /// Standard base64 with padding.
    Base64,
    /// The body is text and stands as it is.
    Utf8,
}

impl BodyEncoding {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Utf8 => "utf-8",
        }
    }

    fn read(value: Value) -> Result<Option<Self>, DecodeError> {
        match take::text(value)?.as_deref() {
            None => Ok(None),
            Some("base64") => Ok(Some(Self::Base64)),
            Some("utf-8" | "utf8" | "") => Ok(Some(Self::Utf8)),
            Some(other) => {
                let detail = format!("expected base64 or utf-8, found {other:?}");
                Err(DecodeError::new(DecodeErrorKind::Value, detail))
            }
        }
    }
}

/// Where a message was published to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryInfo {
    /// Exchange; empty for the default exchange.
    pub exchange: String,
    /// Routing key; the queue name on the default exchange.
    pub routing_key: String,
    /// Set when a broker delivers the message again.
    pub redelivered: Option<bool>,
    /// Every other field.
    pub extra: Map,
}

impl DeliveryInfo {
    fn read(field: impl Field) -> Result<Option<Self>, DecodeError> {
        let mut builder = InfoBuilder::default();
        let found = field.entries(&mut builder)?;
        found.then(|| builder.finish()).transpose()
    }

    fn to_map(&self) -> Map {
        let mut map = Map::new();
        map.insert("exchange", self.exchange.as_str());
        map.insert("routing_key", self.routing_key.as_str());
        if let Some(redelivered) = self.redelivered {
            map.insert("redelivered", redelivered);
        }
        map.extend(
            self.extra
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        map
    }
}

/// The typed fields of the delivery info.
const INFO_NAMES: [&str; 3] = ["exchange", "routing_key", "redelivered"];

/// Collects its fields one by one and refuses a name that comes twice.
#[derive(Default)]
struct InfoBuilder {
    info: DeliveryInfo,
    seen: Seen,
}

impl Entries for InfoBuilder {
    fn set(&mut self, key: Cow<'_, str>, field: impl Field) -> Result<(), DecodeError> {
        match self.seen.name(&INFO_NAMES, &key)? {
            Some(name) => {
                let known = self.known(name, field);
                known.map_err(|error| error.at(name))
            }
            None => take::other(&mut self.info.extra, key, field),
        }
    }
}

impl InfoBuilder {
    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError> {
        let info = &mut self.info;
        match name {
            "exchange" => info.exchange = field.text()?.unwrap_or_default(),
            "routing_key" => info.routing_key = field.text()?.unwrap_or_default(),
            _ => info.redelivered = take::boolean(field.value()?)?,
        }
        Ok(())
    }

    /// A map that stands for a typed value is none.
    fn finish(mut self) -> Result<DeliveryInfo, DecodeError> {
        if self.seen.is_empty() {
            self.info.extra = take::map(json::typed(self.info.extra)?)?;
        }
        Ok(self.info)
    }
}

/// Delivery details of a message; `None` is null or absent and is not written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties {
    /// The task id.
    pub correlation_id: Option<String>,
    /// Where replies and `rpc://` results go.
    pub reply_to: Option<String>,
    /// 2 is persistent, 1 transient.
    pub delivery_mode: Option<i64>,
    /// Milliseconds to live, as text.
    pub expiration: Option<String>,
    /// Exchange and routing key.
    pub delivery_info: Option<DeliveryInfo>,
    /// Priority as the sender gave it; brokers clamp it to 0 … 9.
    pub priority: Option<i64>,
    /// How the body is carried in the envelope.
    pub body_encoding: Option<BodyEncoding>,
    /// Identity of this delivery.
    pub delivery_tag: Option<String>,
    /// Every other property.
    pub extra: Map,
}

impl Properties {
    /// Reads a property map.
    ///
    /// # Errors
    /// When a known property has the wrong type; the error names it.
    pub fn from_map(map: Map) -> Result<Self, DecodeError> {
        Self::build(Value::Map(map))
    }

    /// Reads the map the reader stands at, without building it first.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::build(reader)
    }

    fn build(map: impl Field) -> Result<Self, DecodeError> {
        let mut builder = Builder::default();
        map.entries(&mut builder)?;
        Ok(builder.properties)
    }

    /// The properties as a plain map, in the order they are written.
    pub fn to_map(&self) -> Map {
        let mut map = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key, value);
            }
        };
        put(
            "correlation_id",
            self.correlation_id.as_deref().map(Value::from),
        );
        put("reply_to", self.reply_to.as_deref().map(Value::from));
        put("delivery_mode", self.delivery_mode.map(Value::Int));
        put("expiration", self.expiration.as_deref().map(Value::from));
        put(
            "delivery_info",
            self.delivery_info
                .as_ref()
                .map(|info| Value::Map(info.to_map())),
        );
        put("priority", self.priority.map(Value::Int));
        put(
            "body_encoding",
            self.body_encoding.map(|encoding| encoding.as_str().into()),
        );
        put(
            "delivery_tag",
            self.delivery_tag.as_deref().map(Value::from),
        );
        map.extend(
            self.extra
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        map
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.value(&Value::Map(self.to_map()))
    }
}

/// The typed properties.
const NAMES: [&str; 8] = [
    "correlation_id",
    "reply_to",
    "delivery_mode",
    "expiration",
    "delivery_info",
    "priority",
    "body_encoding",
    "delivery_tag",
];

/// Collects properties one by one and refuses a name that comes twice.
#[derive(Default)]
struct Builder {
    properties: Properties,
    seen: Seen,
}

impl Entries for Builder {
    fn set(&mut self, key: Cow<'_, str>, field: impl Field) -> Result<(), DecodeError> {
        match self.seen.name(&NAMES, &key)? {
            Some(name) => {
                let known = self.known(name, field);
                known.map_err(|error| error.at(name))
            }
            None => take::other(&mut self.properties.extra, key, field),
        }
    }
}

impl Builder {
    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError> {
        let properties = &mut self.properties;
        match name {
            "correlation_id" => properties.correlation_id = field.text()?,
            "reply_to" => properties.reply_to = field.text()?,
            "delivery_mode" => properties.delivery_mode = take::integer(field.value()?)?,
            "expiration" => properties.expiration = expiration(field.value()?)?,
            "delivery_info" => properties.delivery_info = DeliveryInfo::read(field)?,
            "priority" => properties.priority = take::integer(field.value()?)?,
            "body_encoding" => properties.body_encoding = BodyEncoding::read(field.value()?)?,
            _ => properties.delivery_tag = field.text()?,
        }
        Ok(())
    }
}

/// Milliseconds, as text or (some clients) as a number.
fn expiration(value: Value) -> Result<Option<String>, DecodeError> {
    match value {
        Value::Int(millis) => Ok(Some(millis.to_string())),
        value => take::text(value),
    }
}

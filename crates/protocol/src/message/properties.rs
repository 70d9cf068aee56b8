//! The message properties.

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::json::Writer;
use crate::take;
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
    fn read(value: Value) -> Result<Option<Self>, DecodeError> {
        let mut map = match value {
            Value::Null => return Ok(None),
            value => take::map(value)?,
        };
        Ok(Some(Self {
            exchange: take::field(&mut map, "exchange", take::text)?.unwrap_or_default(),
            routing_key: take::field(&mut map, "routing_key", take::text)?.unwrap_or_default(),
            redelivered: take::field(&mut map, "redelivered", take::boolean)?,
            extra: map,
        }))
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
    pub fn from_map(mut map: Map) -> Result<Self, DecodeError> {
        Ok(Self {
            correlation_id: take::field(&mut map, "correlation_id", take::text)?,
            reply_to: take::field(&mut map, "reply_to", take::text)?,
            delivery_mode: take::field(&mut map, "delivery_mode", take::integer)?,
            expiration: take::field(&mut map, "expiration", expiration)?,
            delivery_info: take::field(&mut map, "delivery_info", DeliveryInfo::read)?,
            priority: take::field(&mut map, "priority", take::integer)?,
            body_encoding: take::field(&mut map, "body_encoding", BodyEncoding::read)?,
            delivery_tag: take::field(&mut map, "delivery_tag", take::text)?,
            extra: map,
        })
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

/// Milliseconds, as text or (some clients) as a number.
fn expiration(value: Value) -> Result<Option<String>, DecodeError> {
    match value {
        Value::Int(millis) => Ok(Some(millis.to_string())),
        value => take::text(value),
    }
}

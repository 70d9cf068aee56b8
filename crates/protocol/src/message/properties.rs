//! The message properties.

use crate::codec::Sink as _;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::json::{self, Reader, Writer};
use crate::put::{self, Put};
use crate::take::{self, Field, Fields};
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
        let Some((mut info, is_info)) = take::fields::<Self>(field)? else {
            return Ok(None);
        };
        if !is_info {
            // A map that stands for a typed value is none.
            info.extra = take::map(json::typed(info.extra)?)?;
        }
        Ok(Some(info))
    }

    fn put(&self, into: &mut impl Put) -> Result<(), EncodeError> {
        into.text("exchange", &self.exchange);
        into.text("routing_key", &self.routing_key);
        into.value_if("redelivered", self.redelivered)?;
        into.all(&self.extra)
    }
}

impl Fields for DeliveryInfo {
    const NAMES: &'static [&'static str] = &["exchange", "routing_key", "redelivered"];

    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError> {
        match name {
            "exchange" => self.exchange = field.text()?.unwrap_or_default(),
            "routing_key" => self.routing_key = field.text()?.unwrap_or_default(),
            _ => self.redelivered = take::boolean(field.value()?)?,
        }
        Ok(())
    }

    fn extra(&mut self) -> &mut Map {
        &mut self.extra
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
        let read = take::fields::<Self>(map)?;
        Ok(read.map(|(properties, _)| properties).unwrap_or_default())
    }

    /// The properties as a plain map, in the order they are written.
    pub fn to_map(&self) -> Map {
        put::to_map(|map| self.put(map))
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        let info = self.delivery_info.as_ref();
        if !self.extra.is_empty() || info.is_some_and(|info| !info.extra.is_empty()) {
            // An entry of its own may stand for a typed one.
            return writer.value(&Value::Map(self.to_map()));
        }
        writer.open_map();
        self.put(writer)?;
        writer.end_map();
        Ok(())
    }

    fn put(&self, into: &mut impl Put) -> Result<(), EncodeError> {
        into.text_if("correlation_id", self.correlation_id.as_deref());
        into.text_if("reply_to", self.reply_to.as_deref());
        into.value_if("delivery_mode", self.delivery_mode)?;
        into.text_if("expiration", self.expiration.as_deref());
        if let Some(info) = &self.delivery_info {
            into.map("delivery_info", |into| info.put(into))?;
        }
        into.value_if("priority", self.priority)?;
        let encoding = self.body_encoding.map(BodyEncoding::as_str);
        into.text_if("body_encoding", encoding);
        into.text_if("delivery_tag", self.delivery_tag.as_deref());
        into.all(&self.extra)
    }
}

impl Fields for Properties {
    const NAMES: &'static [&'static str] = &[
        "correlation_id",
        "reply_to",
        "delivery_mode",
        "expiration",
        "delivery_info",
        "priority",
        "body_encoding",
        "delivery_tag",
    ];

    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError> {
        match name {
            "correlation_id" => self.correlation_id = field.text()?,
            "reply_to" => self.reply_to = field.text()?,
            "delivery_mode" => self.delivery_mode = take::integer(field.value()?)?,
            "expiration" => self.expiration = expiration(field.value()?)?,
            "delivery_info" => self.delivery_info = DeliveryInfo::read(field)?,
            "priority" => self.priority = take::integer(field.value()?)?,
            "body_encoding" => self.body_encoding = BodyEncoding::read(field.value()?)?,
            _ => self.delivery_tag = field.text()?,
        }
        Ok(())
    }

    fn extra(&mut self) -> &mut Map {
        &mut self.extra
    }
}

/// Milliseconds, as text or (some clients) as a number.
fn expiration(value: Value) -> Result<Option<String>, DecodeError> {
    match value {
        Value::Int(millis) => Ok(Some(millis.to_string())),
        value => take::text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(properties: &Properties) -> [Vec<u8>; 2] {
        let (mut straight, mut by_map) = (Writer::default(), Writer::default());
        let map = Value::Map(properties.to_map());
        properties.write(&mut straight).expect("it can be written");
        by_map.value(&map).expect("it can be written");
        [straight.into_bytes(), by_map.into_bytes()]
    }

    #[test]
    fn what_is_written_is_the_map() {
        let text = |text: &str| Some(text.to_owned());
        let mut properties = Properties::default();
        let [straight, by_map] = both_ways(&properties);
        assert_eq!(straight, by_map, "nothing is set");
        properties = Properties {
            correlation_id: text("c\"1"),
            reply_to: text("r"),
            delivery_mode: Some(2),
            expiration: text("1000"),
            delivery_info: Some(DeliveryInfo {
                exchange: "é".to_owned(),
                routing_key: "q".to_owned(),
                redelivered: Some(true),
                extra: Map::new(),
            }),
            priority: Some(-3),
            body_encoding: Some(BodyEncoding::Base64),
            delivery_tag: text("t"),
            extra: Map::new(),
        };
        let [straight, by_map] = both_ways(&properties);
        assert_eq!(straight, by_map, "all is set");
        properties.extra.insert("priority", 7);
        let [straight, by_map] = both_ways(&properties);
        assert_eq!(
            straight, by_map,
            "an entry of its own stands for a typed one"
        );
    }
}

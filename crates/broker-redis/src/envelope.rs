//! Stored messages as bytes: what is read from them and changed in them without decoding them whole, so that a message which
//! cannot be decoded is kept as it is.
//!
//! A held message is kombu's record `[envelope,"exchange","routing key"]`. Ours always name the default exchange and the queue
//! it came from, so that a Python sweep puts it back exactly there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// In `properties.delivery_info`: how many holders have died with the message. Python keeps it and does not look at it.
pub(crate) const DEATHS: &str = "celeriac_deaths";

/// What is noted in a message that goes back to its queue.
pub(crate) type Mark = fn(&[u8]) -> Vec<u8>;

/// A held message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held<'a> {
    /// The message as it was published.
    pub(crate) envelope: &'a [u8],
    /// Empty for a record of ours.
    pub(crate) exchange: Cow<'a, str>,
    /// The queue, for a record of ours.
    pub(crate) routing_key: Cow<'a, str>,
}

/// Reads a record of our own making, whatever its envelope is.
pub(crate) fn read_own(record: &[u8]) -> Option<Held<'_>> {
    let inner = record.strip_prefix(b"[")?.strip_suffix(b"]")?;
    // The queue's JSON text holds no bare quote, so this finds its beginning and nothing inside of it.
    let at = inner.windows(5).rposition(|window| window == b",\"\",\"")?;
    let queue: String = serde_json::from_slice(&inner[at + 4..]).ok()?;
    Some(Held {
        envelope: &inner[..at],
        exchange: Cow::Borrowed(""),
        routing_key: Cow::Owned(queue),
    })
}

/// Reads a record that a Python worker made.
pub(crate) fn read_foreign(record: &[u8]) -> Option<Held<'_>> {
    let (envelope, exchange, routing_key): (&RawValue, Cow<'_, str>, Cow<'_, str>) =
        serde_json::from_slice(record).ok()?;
    Some(Held {
        envelope: envelope.get().as_bytes(),
        exchange,
        routing_key,
    })
}

/// `properties.priority`; 0 when it is absent or not to be understood, as in kombu.
pub(crate) fn priority(envelope: &[u8]) -> i64 {
    let priority = || {
        let envelope = Object::read(envelope)?;
        let properties = Object::read(envelope.get("properties")?.as_bytes())?;
        properties.get("priority")?.parse().ok()
    };
    priority().unwrap_or(0)
}

/// The same envelope with `headers.redelivered` and `properties.delivery_info.redelivered` set, everything else kept to the byte.
/// What is no JSON object comes back unchanged.
pub(crate) fn redelivered(envelope: &[u8]) -> Vec<u8> {
    change(envelope, |_| {}).unwrap_or_else(|| envelope.to_vec())
}

/// As [`redelivered`], for a message whose holder has died with it: one more is counted.
pub(crate) fn died(envelope: &[u8]) -> Vec<u8> {
    let count = |info: &mut Object| {
        let deaths = info.get(DEATHS).and_then(|text| text.parse().ok());
        let deaths = deaths.unwrap_or(0_u32).saturating_add(1);
        info.set(DEATHS, deaths.to_string());
    };
    change(envelope, count).unwrap_or_else(|| envelope.to_vec())
}

/// As [`redelivered`], for a message that an operator gives another chance: no deaths are counted any more.
pub(crate) fn forgiven(envelope: &[u8]) -> Vec<u8> {
    let forget = |info: &mut Object| info.entries.retain(|(key, _)| key != DEATHS);
    change(envelope, forget).unwrap_or_else(|| envelope.to_vec())
}

fn change(envelope: &[u8], note: impl FnOnce(&mut Object)) -> Option<Vec<u8>> {
    let mut whole = Object::read(envelope)?;
    let mut headers = whole.object("headers")?;
    headers.set("redelivered", "true".to_owned());
    whole.set("headers", headers.write());
    let mut properties = whole.object("properties")?;
    let mut info = properties.object("delivery_info")?;
    info.set("redelivered", "true".to_owned());
    note(&mut info);
    properties.set("delivery_info", info.write());
    whole.set("properties", properties.write());
    Some(whole.write().into_bytes())
}

/// A JSON object with its values as they stand in the text.
#[derive(Default)]
struct Object {
    entries: Vec<(String, String)>,
}

impl Object {
    fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.entries
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The object under `name`, an empty one if there is none or null; `None` when something else is there.
    fn object(&self, name: &str) -> Option<Self> {
        match self.get(name) {
            None | Some("null") => Some(Self::default()),
            Some(text) => Self::read(text.as_bytes()),
        }
    }

    fn set(&mut self, name: &str, value: String) {
        match self.entries.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.entries.push((name.to_owned(), value)),
        }
    }

    fn write(&self) -> String {
        let entry = |(key, value): &(String, String)| format!("{}: {value}", json_text(key));
        format!(
            "{{{}}}",
            self.entries
                .iter()
                .map(entry)
                .collect::<Vec<_>>()
                .join(", ")
        )
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    entries.push((key, value.get().to_owned()));
                }
                Ok(Object { entries })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A text as JSON.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn marking_keeps_every_other_byte() {
        let big = br#"{"body": "eA==", "headers": {"n": 123456789012345678901234567890, "e": [], "x": "\ud800"}, "properties": {"delivery_info": {"exchange": "", "routing_key": "q"}, "priority": 4}}"#;
        let marked = String::from_utf8(redelivered(big)).unwrap();
        assert_eq!(
            marked,
            r#"{"body": "eA==", "headers": {"n": 123456789012345678901234567890, "e": [], "x": "\ud800", "redelivered": true}, "properties": {"delivery_info": {"exchange": "", "routing_key": "q", "redelivered": true}, "priority": 4}}"#
        );
        assert_eq!(redelivered(marked.as_bytes()), marked.as_bytes());
        assert_eq!(priority(marked.as_bytes()), 4);
    }

    #[test]
    fn deaths_are_counted_and_forgiven() {
        let fresh = br#"{"headers": {}, "properties": {"delivery_info": {"routing_key": "q"}}}"#;
        let twice = String::from_utf8(died(&died(fresh))).unwrap();
        assert!(
            twice.contains(r#""redelivered": true, "celeriac_deaths": 2}"#),
            "{twice}"
        );
        assert_eq!(redelivered(twice.as_bytes()), twice.as_bytes());
        assert_eq!(forgiven(twice.as_bytes()), redelivered(fresh));
        assert_eq!(died(b"nonsense"), b"nonsense");
    }

    #[test]
    fn what_is_no_envelope_is_left_alone() {
        for odd in [&b"nonsense"[..], b"[]", b"{", br#"{"headers": 3}"#] {
            assert_eq!(redelivered(odd), odd);
            assert_eq!(priority(odd), 0);
        }
    }

    #[test]
    fn own_records_are_read_whatever_they_hold() {
        let queue = "q\",\"\",\"[x]\u{1}";
        for envelope in ["{}", "no json ,\"\",\"", ""] {
            let record = format!("[{envelope},\"\",{}]", json_text(queue));
            let held = read_own(record.as_bytes()).unwrap();
            assert_eq!(
                (held.envelope, held.routing_key.as_ref()),
                (envelope.as_bytes(), queue)
            );
        }
    }

    #[test]
    fn python_records_are_read() {
        let held = read_foreign(br#"[{"body": "x"}, "ex\u00e4", "key"]"#).unwrap();
        assert_eq!(
            (
                held.envelope,
                held.exchange.as_ref(),
                held.routing_key.as_ref()
            ),
            (&br#"{"body": "x"}"#[..], "exä", "key")
        );
        assert_eq!(read_foreign(b"[1, 2]"), None);
    }
}

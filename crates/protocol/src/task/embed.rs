//! The third part of a protocol 2 body: what follows the task.

use super::Chain;
use crate::codec::Sink as _;
use crate::error::{DecodeError, EncodeError};
use crate::json::{Reader, Writer};
use crate::signature::{Signature, map_or_null, optional, signatures};
use crate::take::{self, Seen};
use crate::value::{Map, Value};

/// What is to be called after the task. `None` is null or absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embed {
    /// Called on success.
    pub callbacks: Option<Vec<Signature>>,
    /// Called on failure.
    pub errbacks: Option<Vec<Signature>>,
    /// Remaining chain steps.
    pub chain: Option<Chain>,
    /// The chord body, when this task is a member of a chord header.
    pub chord: Option<Signature>,
    /// Every other field.
    pub extra: Map,
}

/// The four fields, as they are written.
const NAMES: [&str; 4] = ["callbacks", "errbacks", "chain", "chord"];

impl Embed {
    /// Reads the map; null means nothing follows.
    ///
    /// # Errors
    /// When a field has the wrong type; the error names it.
    pub fn from_value(value: Value) -> Result<Self, DecodeError> {
        Self::take(&mut map_or_null(value)?).map(|(embed, extra)| Self { extra, ..embed })
    }

    /// Passes over null, or over a map of the four fields that says nothing: every one is null. False when it may say something.
    pub(super) fn is_empty_at(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        if reader.null() {
            return Ok(true);
        }
        let mut seen = Seen::default();
        let mut more = reader.begin_map()?;
        while more {
            let key = reader.key()?;
            if seen.name(&NAMES, &key)?.is_none() || !reader.null() {
                return Ok(false);
            }
            more = reader.next_entry()?;
        }
        Ok(true)
    }

    /// Takes the four fields out of `map` and gives the rest back.
    fn take(map: &mut Map) -> Result<(Self, Map), DecodeError> {
        let embed = Self::take_fields(map)?;
        Ok((embed, std::mem::take(map)))
    }

    /// Takes the four fields out of `map`, leaving the others.
    pub(super) fn take_fields(map: &mut Map) -> Result<Self, DecodeError> {
        Ok(Self {
            callbacks: take::field(map, "callbacks", signatures)?,
            errbacks: take::field(map, "errbacks", signatures)?,
            chain: take::field(map, "chain", signatures)?.map(Chain::from),
            chord: take::field(map, "chord", optional)?,
            extra: Map::new(),
        })
    }

    /// The map in Python's order.
    ///
    /// # Errors
    /// When a later step of the chain is no signature.
    pub fn into_value(self) -> Result<Value, DecodeError> {
        let mut map = Map::new();
        map.insert("callbacks", self.callbacks);
        map.insert("errbacks", self.errbacks);
        map.insert("chain", self.chain.map(Value::try_from).transpose()?);
        map.insert("chord", self.chord);
        map.extend(self.extra);
        Ok(Value::Map(map))
    }

    /// Writes the same map.
    pub(super) fn write(self, out: &mut Writer) -> Result<(), EncodeError> {
        out.open_map();
        out.entry("callbacks", &self.callbacks.into())?;
        out.entry("errbacks", &self.errbacks.into())?;
        match self.chain {
            Some(chain) => {
                out.key("chain");
                chain.write(out).map_err(|error| error.at("chain"))?;
            }
            None => out.entry("chain", &Value::Null)?,
        }
        out.entry("chord", &self.chord.into())?;
        out.entries(&self.extra)?;
        out.end_map();
        Ok(())
    }
}

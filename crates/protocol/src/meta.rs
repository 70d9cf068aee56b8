//! Result metas: what a result backend stores under `celery-task-meta-‹id›`.

mod chord;
mod exception;
mod marker;
mod tuple;

pub use chord::ChordMember;
pub use exception::ExceptionInfo;
pub use tuple::ResultTuple;

use std::borrow::Cow;
use std::convert::Infallible;

use crate::codec::{Codec, Sink as _};
use crate::compression::Packing;
use crate::error::{DecodeError, EncodeError};
use crate::json::{self, Writer};
use crate::limits::Limits;
use crate::signature::map_or_null;
use crate::state::State;
use crate::take;
use crate::value::{DateTime, Map, Value};

/// The stored state of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskMeta {
    /// Task id.
    pub task_id: String,
    /// State.
    pub status: State,
    /// Return value, exception map ([`ExceptionInfo`]) or state meta, by `status`.
    pub result: Value,
    /// Text of the traceback.
    pub traceback: Option<String>,
    /// Tasks this one sent; `None` when written outside a task.
    pub children: Option<Vec<ResultTuple>>,
    /// When the task reached a final state.
    pub date_done: Option<DateTime>,
    /// Group id.
    pub group_id: Option<String>,
    /// The task that sent this one.
    pub parent_id: Option<String>,
    /// What `result_extended` adds.
    pub extended: Option<Extended>,
    /// Names of the stamps, with `result_extended`.
    pub stamped_headers: Option<Vec<String>>,
    /// Stamp name to value; written as fields of their own.
    pub stamps: Map,
    /// Every other field.
    pub extra: Map,
}

/// What a meta says about the call itself when `result_extended` is on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extended {
    /// Task name.
    pub name: Option<String>,
    /// Positional arguments.
    pub args: Value,
    /// Keyword arguments.
    pub kwargs: Value,
    /// Node name of the worker.
    pub worker: Option<String>,
    /// How often the task was retried.
    pub retries: Option<u32>,
    /// Routing key it was delivered with.
    pub queue: Option<String>,
}

impl TaskMeta {
    /// A meta with nothing but id, state and result.
    pub fn new(task_id: impl Into<String>, status: State, result: Value) -> Self {
        Self {
            task_id: task_id.into(),
            status,
            result,
            traceback: None,
            children: Some(Vec::new()),
            date_done: None,
            group_id: None,
            parent_id: None,
            extended: None,
            stamped_headers: None,
            stamps: Map::new(),
            extra: Map::new(),
        }
    }

    /// Encodes the meta; compressed content gets the marker every reader recognises.
    ///
    /// # Errors
    /// When the codec cannot carry the result; the error names the field.
    pub fn encode(
        &self,
        codec: Codec,
        packing: impl Into<Packing>,
    ) -> Result<Vec<u8>, EncodeError> {
        // The usual meta, without a map of it.
        let is_plain = self.stamps.is_empty() && self.extra.is_empty();
        let bytes = if codec == Codec::Json && is_plain {
            self.to_json()?
        } else {
            codec.encode(&Value::Map(self.to_map()))?
        };
        marker::wrap(bytes, packing.into())
    }

    /// Decodes a meta, compressed or not.
    ///
    /// # Errors
    /// When it is not a sound meta or beyond a limit; the error names the field.
    pub fn decode(bytes: &[u8], codec: &Codec, limits: &Limits) -> Result<Self, DecodeError> {
        let plain = marker::unwrap(bytes, limits)?;
        Self::from_map(take::map(codec.decode(&plain, limits)?)?)
    }

    /// Reads a decoded meta.
    ///
    /// # Errors
    /// When a field is missing or has the wrong type; the error names it.
    pub fn from_map(mut map: Map) -> Result<Self, DecodeError> {
        let map = &mut map;
        let status = take::field(map, "status", take::text)?;
        let stamped_headers = take::field(map, "stamped_headers", take::texts)?;
        Ok(Self {
            task_id: take::field(map, "task_id", take::text)?.unwrap_or_default(),
            status: State::from(
                status
                    .ok_or_else(|| DecodeError::missing("status"))?
                    .as_str(),
            ),
            result: map.remove("result").unwrap_or_default(),
            traceback: take::field(map, "traceback", take::text)?,
            children: take::field(map, "children", tuple::children)?,
            date_done: take::field(map, "date_done", take::datetime)?,
            group_id: take::field(map, "group_id", take::text)?,
            parent_id: take::field(map, "parent_id", take::text)?,
            extended: Extended::take(map)?,
            stamps: stamps(map, stamped_headers.as_deref()),
            stamped_headers,
            extra: std::mem::take(map),
        })
    }

    /// The fields in Python's order.
    pub fn to_map(&self) -> Map {
        let mut map = Map::new();
        let never: Result<(), Infallible> = self.visit(|name, value| {
            map.insert(name, value.into_owned());
            Ok(())
        });
        let Ok(()) = never;
        map.extend(self.stamps.clone());
        map.extend(self.extra.clone());
        map.insert("task_id", self.task_id.as_str());
        map
    }

    /// The fields in the same order as JSON; stamps and extra fields are not among them.
    fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::with_capacity(json::USUAL);
        writer.open_map();
        self.visit(|name, value| writer.entry(name, &value))?;
        writer.entry_str("task_id", &self.task_id);
        writer.end_map();
        Ok(writer.into_bytes())
    }

    /// Hands every field to `put`, in order, but the stamps, the extra fields and the id, which come last.
    fn visit<E>(
        &self,
        mut put: impl FnMut(&str, Cow<'_, Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        let text = |text: Option<&str>| Cow::Owned(Value::from(text));
        put("status", text(Some(self.status.as_str())))?;
        put("result", Cow::Borrowed(&self.result))?;
        put("traceback", text(self.traceback.as_deref()))?;
        let children = self.children.as_ref();
        let children = children.map(|list| list.iter().map(Value::from).collect::<Vec<_>>());
        put("children", Cow::Owned(children.into()))?;
        put(
            "date_done",
            text(self.date_done.as_ref().map(DateTime::as_str)),
        )?;
        for (name, value) in [("group_id", &self.group_id), ("parent_id", &self.parent_id)] {
            if value.is_some() {
                put(name, text(value.as_deref()))?;
            }
        }
        if let Some(extended) = &self.extended {
            extended.visit(&mut put)?;
        }
        match &self.stamped_headers {
            Some(names) => put("stamped_headers", Cow::Owned(names.clone().into())),
            None => Ok(()),
        }
    }

    /// The exception of a failed, revoked or retried task.
    pub fn exception(&self) -> Option<ExceptionInfo> {
        if self.status.is_exception() {
            ExceptionInfo::from_value(&self.result)
        } else {
            None
        }
    }
}

impl Extended {
    const NAMES: [&str; 6] = ["name", "args", "kwargs", "worker", "retries", "queue"];

    /// Takes the extended fields out of a meta; none of them means none.
    fn take(map: &mut Map) -> Result<Option<Self>, DecodeError> {
        if !Self::NAMES.iter().any(|name| map.contains_key(name)) {
            return Ok(None);
        }
        Ok(Some(Self {
            name: take::field(map, "name", take::text)?,
            args: map.remove("args").unwrap_or_default(),
            kwargs: map.remove("kwargs").unwrap_or_default(),
            worker: take::field(map, "worker", take::text)?,
            retries: take::field(map, "retries", take::count)?,
            queue: take::field(map, "queue", take::text)?,
        }))
    }

    fn visit<E>(
        &self,
        put: &mut impl FnMut(&str, Cow<'_, Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        put("name", Cow::Owned(self.name.clone().into()))?;
        put("args", Cow::Borrowed(&self.args))?;
        put("kwargs", Cow::Borrowed(&self.kwargs))?;
        put("worker", Cow::Owned(self.worker.clone().into()))?;
        put("retries", Cow::Owned(self.retries.into()))?;
        put("queue", Cow::Owned(self.queue.clone().into()))
    }
}

/// Takes the stamps, which stand among the other fields under their own names.
fn stamps(map: &mut Map, names: Option<&[String]>) -> Map {
    let names = names.unwrap_or_default().iter();
    names
        .filter_map(|name| map.remove(name).map(|value| (name.clone(), value)))
        .collect()
}

/// Says whether raw meta bytes hold SUCCESS, without decoding them.
///
/// `None` when that cannot be told cheaply (compressed, not JSON, or other key order); decode then.
pub fn is_success(raw: &[u8]) -> Option<bool> {
    let rest = raw
        .strip_prefix(b"{\"status\": \"")
        .or_else(|| raw.strip_prefix(b"{\"status\":\""))?;
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (rest[end] == b'"').then_some(&rest[..end] == b"SUCCESS")
}

/// A saved group as stored under `celery-taskset-meta-‹gid›`: `{"result": ‹group tuple›}`.
///
/// # Errors
/// When it is not sound; the error names the field.
pub fn decode_group(
    bytes: &[u8],
    codec: &Codec,
    limits: &Limits,
) -> Result<ResultTuple, DecodeError> {
    let plain = marker::unwrap(bytes, limits)?;
    let mut map = map_or_null(codec.decode(&plain, limits)?)?;
    take::field(&mut map, "result", ResultTuple::from_value)
}

/// Encodes a saved group.
///
/// # Errors
/// When the compressor fails.
pub fn encode_group(
    group: &ResultTuple,
    codec: Codec,
    packing: impl Into<Packing>,
) -> Result<Vec<u8>, EncodeError> {
    let bytes = codec.encode(&Value::Map(Map::from_iter([(
        "result",
        Value::from(group),
    )])))?;
    marker::wrap(bytes, packing.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meta_is_the_same_json_with_and_without_a_map_of_it() {
        let mut meta = TaskMeta::new("some \"id\"", State::Success, Value::from("\u{e9}"));
        meta.children = Some(vec![ResultTuple::task("child")]);
        meta.parent_id = Some("parent".to_owned());
        meta.extended = Some(Extended {
            name: Some("task".to_owned()),
            ..Extended::default()
        });
        meta.stamped_headers = Some(vec!["stamp".to_owned()]);
        let by_map = Codec::Json.encode(&Value::Map(meta.to_map())).unwrap();
        assert_eq!(meta.encode(Codec::Json, None).unwrap(), by_map);
    }
}

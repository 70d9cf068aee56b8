//! What can be read of a task message that is not sound as a whole.

use super::{Embed, TaskRequest};
use crate::accept::Accept;
use crate::limits::Limits;
use crate::message::Message;
use crate::signature::Signature;
use crate::value::{Map, Value};

impl TaskRequest {
    /// What a message says about itself although [`TaskRequest::from_message`] refuses it: whose it is, and what was to follow. So
    /// that those who wait for the task, or for what follows it, can be told. `None` when it does not even say an id.
    ///
    /// Where it cannot be read whether a chord counts on the task, a task of a group is taken for a member of one; and a chord's body that
    /// cannot be read has no name.
    pub fn remains(message: &Message, accept: &Accept, limits: &Limits) -> Option<Self> {
        let headers = &message.headers;
        let found = embed_of(message, accept, limits);
        let is_lost = found.is_none();
        let mut body = found.unwrap_or_default();
        let text = |map: &Map, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = headers.id.clone().or_else(|| text(&body, "id"));
        let group = headers.group.clone().or_else(|| text(&body, "group"));
        let index = body.get("group_index").and_then(Value::as_i64);
        let mut embed = sound(&mut body);
        if is_lost && group.is_some() {
            embed.chord = Some(Signature::default());
        }
        Some(Self {
            id: id.filter(|id| !id.is_empty())?,
            task: headers
                .task
                .clone()
                .or_else(|| text(&body, "task"))
                .unwrap_or_default(),
            group,
            group_index: headers.group_index.or(index),
            root_id: headers.root_id.clone(),
            parent_id: headers.parent_id.clone(),
            extra: headers.extra.clone(),
            priority: message.properties.priority,
            embed,
            ..Self::default()
        })
    }
}

/// The third part of the body, or a body of protocol 1, if it can be read.
fn embed_of(message: &Message, accept: &Accept, limits: &Limits) -> Option<Map> {
    match message.decode_body(accept, limits) {
        Ok(Value::List(mut parts)) if parts.len() > 2 => match parts.swap_remove(2) {
            Value::Map(embed) => Some(embed),
            Value::Null => Some(Map::new()),
            _ => None,
        },
        Ok(Value::Map(body)) => Some(body),
        _ => None,
    }
}

/// Those of the fields that are sound.
fn sound(embed: &mut Map) -> Embed {
    let chord = embed.remove("chord").and_then(body_of);
    let mut field = |name: &str| {
        let value = embed.remove(name).unwrap_or_default();
        Embed::from_value(Value::Map(Map::from_iter([(name, value)]))).unwrap_or_default()
    };
    Embed {
        callbacks: None,
        errbacks: field("errbacks").errbacks,
        chain: field("chain").chain,
        chord,
        extra: Map::new(),
    }
}

/// A chord's body, or those of its fields that are sound, without the name.
fn body_of(value: Value) -> Option<Signature> {
    if value.is_null() {
        return None;
    }
    let field = |name: &str| value.get(name).and_then(Value::as_map).cloned();
    let kind = value.get("subtask_type").and_then(Value::as_str);
    let parts = || Signature {
        kwargs: field("kwargs").unwrap_or_default(),
        options: field("options").unwrap_or_default(),
        subtask_type: kind.map(str::to_owned),
        ..Signature::default()
    };
    Some(Signature::from_value(value.clone()).unwrap_or_else(|_| parts()))
}

//! What can be read of a task message that is not sound as a whole.

use super::{Embed, TaskRequest};
use crate::accept::Accept;
use crate::limits::Limits;
use crate::message::Message;
use crate::value::{Map, Value};

impl TaskRequest {
    /// What a message says about itself although [`TaskRequest::from_message`] refuses it: whose it is, and what was to follow. So
    /// that those who wait for the task, or for what follows it, can be told. `None` when it does not even say an id.
    pub fn remains(message: &Message, accept: &Accept, limits: &Limits) -> Option<Self> {
        let headers = &message.headers;
        let mut body = embed_of(message, accept, limits);
        let text = |map: &Map, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = headers.id.clone().or_else(|| text(&body, "id"));
        let group = headers.group.clone().or_else(|| text(&body, "group"));
        let index = body.get("group_index").and_then(Value::as_i64);
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
            embed: sound(&mut body),
            ..Self::default()
        })
    }
}

/// The third part of the body, or a body of protocol 1; empty when it cannot be read.
fn embed_of(message: &Message, accept: &Accept, limits: &Limits) -> Map {
    match message.decode_body(accept, limits) {
        Ok(Value::List(mut parts)) if parts.len() > 2 => match parts.swap_remove(2) {
            Value::Map(embed) => embed,
            _ => Map::new(),
        },
        Ok(Value::Map(body)) => body,
        _ => Map::new(),
    }
}

/// Those of the fields that are sound.
fn sound(embed: &mut Map) -> Embed {
    let mut field = |name: &str| {
        let value = embed.remove(name).unwrap_or_default();
        Embed::from_value(Value::Map(Map::from_iter([(name, value)]))).unwrap_or_default()
    };
    Embed {
        callbacks: None,
        errbacks: field("errbacks").errbacks,
        chain: field("chain").chain,
        chord: field("chord").chord,
        extra: Map::new(),
    }
}

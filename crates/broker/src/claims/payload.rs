//! A body as a claim, and back.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use protocol::{CLAIM_CONTENT_TYPE, DateTime, Map, Message, State, TaskMeta, Value};

/// The state that a payload is stored in: no final one, so that it may be written again.
const STATE: &str = "CLAIM";

/// The part of its lifetime in which a payload must be needed: what waits longer keeps its body.
const PART: u32 = 2;

/// Takes the body out if it is large, and leaves a reference to what is to be stored.
pub(super) fn claim(
    message: &mut Message,
    threshold: usize,
    lifetime: Option<Duration>,
) -> Option<TaskMeta> {
    let id = message.headers.id.as_deref()?;
    if message.body.len() <= threshold
        || message.content_type == CLAIM_CONTENT_TYPE
        || waits_too_long(message.headers.eta.as_ref(), lifetime)
    {
        return None;
    }
    let name = format!("celery-claim-{id}");
    let body = std::mem::replace(&mut message.body, Bytes::from(name.clone()));
    let content_type = std::mem::replace(&mut message.content_type, CLAIM_CONTENT_TYPE.to_owned());
    let encoding = std::mem::replace(&mut message.content_encoding, "utf-8".to_owned());
    let payload = Map::from_iter([
        ("content_type", Value::from(content_type)),
        ("content_encoding", Value::from(encoding)),
        ("body", Value::Bytes(body.into())),
    ]);
    let state = State::from(STATE);
    Some(TaskMeta::new(name, state, Value::Map(payload)))
}

/// The name of the payload that a message refers to.
pub(super) fn name(message: &Message) -> Option<String> {
    let refers = message.content_type == CLAIM_CONTENT_TYPE;
    let name = refers.then(|| String::from_utf8(message.body.to_vec()).ok());
    name.flatten()
}

/// Puts the body back. A message whose payload is not what was stored stays as it is, which nobody can read.
pub(super) fn redeem(message: &mut Message, meta: TaskMeta) {
    let Value::Map(mut payload) = meta.result else {
        return;
    };
    let mut take = |name| payload.remove(name);
    if let (Some(Value::Str(content_type)), Some(Value::Str(encoding)), Some(Value::Bytes(body))) =
        (take("content_type"), take("content_encoding"), take("body"))
    {
        message.content_type = content_type;
        message.content_encoding = encoding;
        message.body = body.into();
    }
}

fn waits_too_long(eta: Option<&DateTime>, lifetime: Option<Duration>) -> bool {
    let due = eta.and_then(DateTime::timestamp);
    match (due, lifetime) {
        (Some(due), Some(lifetime)) => {
            let wait = due.duration_since(Timestamp::now());
            Duration::try_from(wait).is_ok_and(|wait| wait > lifetime / PART)
        }
        _ => false,
    }
}

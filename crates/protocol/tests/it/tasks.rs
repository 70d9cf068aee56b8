//! One recorded message replayed: envelope, body, and for tasks the request built anew.

use protocol::{Codec, DateTime, Message, Protocol, TaskMessage, TaskRequest, Value};

use crate::vectors::{accept_all, assert_same, bytes, json, limits, text, untag};

/// Replays an envelope with its recorded reading. Says whether it was a task.
pub(crate) fn replay(recorded: &Value, case: &Value) -> bool {
    let raw = bytes(recorded.get("raw").unwrap());
    let message = Message::from_envelope(&raw, &limits()).unwrap();
    assert_same(&json(&message.to_envelope().unwrap()), &json(&raw), case);
    let decoded = recorded.get("decoded").unwrap();
    assert_same(
        &Value::Map(message.headers.to_map()),
        decoded.get("headers").unwrap(),
        case,
    );
    assert_same(
        &Value::Map(message.properties.to_map()),
        decoded.get("properties").unwrap(),
        case,
    );
    assert_eq!(message.content_type, text(decoded, "content-type"));
    assert_eq!(message.content_encoding, text(decoded, "content-encoding"));
    if message.content_type == "application/x-python-serialize" {
        let error = TaskRequest::from_message(&message, &accept_all(), &limits()).unwrap_err();
        assert_eq!(error.kind(), protocol::DecodeErrorKind::Pickle);
        return true;
    }
    let body = message.decode_body(&accept_all(), &limits()).unwrap();
    assert_same(&body, &untag(decoded.get("body").unwrap()), case);
    let is_task = message.headers.task.is_some() || body.get("task").is_some();
    if is_task {
        rebuild(&message, case);
    }
    is_task
}

/// Reads the task and sends it again: all but the volatile fields must come out equal, and those are
/// taken over, so everything must.
fn rebuild(message: &Message, case: &Value) {
    let request = TaskRequest::from_message(message, &accept_all(), &limits()).unwrap();
    let sent = again(&request, message)
        .encode(request.codec, request.compression)
        .unwrap();
    let (got, recorded) = (sent.headers.to_map(), message.headers.to_map());
    for (name, value) in &recorded {
        let new = got
            .get(name)
            .unwrap_or_else(|| panic!("{}: {name} is not sent", text(case, "id")));
        match name {
            "argsrepr" | "kwargsrepr" => assert_repr(new, value, case),
            _ => assert_same(new, value, case),
        }
    }
    assert_eq!(
        got.len(),
        recorded.len(),
        "{}: other headers",
        text(case, "id")
    );
    assert_same(
        &Value::Map(sent.properties.to_map()),
        &Value::Map(message.properties.to_map()),
        case,
    );
    let body = |message: &Message| message.decode_body(&accept_all(), &limits()).unwrap();
    assert_same(&body(&sent), &body(message), case);
    assert_eq!(sent.content_type, message.content_type);
    if request.codec == Codec::Json && request.compression.is_none() {
        let text = |message: &Message| String::from_utf8(message.body.to_vec()).unwrap();
        if text(message).is_ascii() {
            assert_eq!(
                text(&sent),
                text(message),
                "{}: bytes of the body",
                crate::vectors::text(case, "id")
            );
        }
    }
}

/// The message a client would build for this request; the reprs are computed anew.
fn again(request: &TaskRequest, message: &Message) -> TaskMessage {
    let headers = &message.headers;
    let (eta, expires) = times(message);
    TaskMessage {
        args: request.args.clone(),
        kwargs: request.kwargs.clone(),
        embed: request.embed.clone(),
        lang: request.lang.clone().unwrap_or_default(),
        shadow: request.shadow.clone(),
        eta,
        expires,
        group: request.group.clone(),
        group_index: request.group_index,
        retries: request.retries,
        timelimit: request.timelimit,
        root_id: request.root_id.clone(),
        parent_id: request.parent_id.clone(),
        origin: request.origin.clone(),
        ignore_result: request.ignore_result,
        replaced_task_nesting: request.replaced_task_nesting,
        stamped_headers: headers.stamped_headers.clone(),
        stamps: request.stamps.clone(),
        headers: request.extra.clone(),
        reply_to: request.reply_to.clone(),
        correlation_id: request.correlation_id.clone(),
        priority: request.priority.unwrap_or(0),
        expiration_ms: message
            .properties
            .expiration
            .as_ref()
            .map(|millis| millis.parse().unwrap()),
        exchange: request.exchange.clone(),
        routing_key: request.routing_key.clone(),
        delivery_tag: message.properties.delivery_tag.clone(),
        properties: message.properties.extra.clone(),
        protocol: request.protocol,
        ..TaskMessage::new(request.task.clone(), request.id.clone())
    }
}

/// ETA and expiry as the sender wrote them, from the headers or a protocol 1 body.
fn times(message: &Message) -> (Option<DateTime>, Option<DateTime>) {
    if message.headers.task.is_some() {
        return (message.headers.eta.clone(), message.headers.expires.clone());
    }
    let body = message.decode_body(&accept_all(), &limits()).unwrap();
    let time = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .map(|at| DateTime::parse(at).unwrap())
    };
    (time("eta"), time("expires"))
}

/// Our reprs must be Python's, but for what the wire does not say: whether a sequence was a tuple,
/// and the name of a time zone.
#[track_caller]
fn assert_repr(got: &Value, recorded: &Value, case: &Value) {
    let (got, recorded) = (got.as_str().unwrap(), recorded.as_str().unwrap());
    if recorded.contains("tzinfo=") {
        return;
    }
    assert_eq!(as_lists(got), as_lists(recorded), "{}", text(case, "id"));
}

fn as_lists(repr: &str) -> String {
    repr.replace(",)", "]").replace('(', "[").replace(')', "]")
}

/// The next attempt of every task the vectors hold keeps what a retry must keep.
pub(crate) fn retry(recorded: &Value, case: &Value) {
    let raw = bytes(recorded.get("raw").unwrap());
    let message = Message::from_envelope(&raw, &limits()).unwrap();
    let Ok(request) = TaskRequest::from_message(&message, &accept_all(), &limits()) else {
        return;
    };
    let eta = jiff::Timestamp::from_second(1_900_000_000).unwrap();
    let sent = TaskMessage::retry_of(&request, Some(eta))
        .encode(request.codec, None)
        .unwrap();
    let next = TaskRequest::from_message(&sent, &accept_all(), &limits()).unwrap();
    let parent = request
        .parent_id
        .clone()
        .unwrap_or_else(|| request.id.clone());
    let expected = TaskRequest {
        retries: request.retries + 1,
        eta: Some(eta),
        parent_id: (request.protocol == Protocol::Two).then_some(parent),
        compression: None,
        redelivered: false,
        // Celery's next attempt leaves them behind.
        properties: protocol::Map::new(),
        ..request
    };
    assert_eq!(next, expected, "{}", text(case, "id"));
}

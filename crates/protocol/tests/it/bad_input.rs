//! Malformed messages: refused with an error that names the field.

use protocol::DecodeErrorKind::{
    Compression, DuplicateKey, LoneSurrogate, Missing, NotAccepted, Pickle, Syntax, Type,
    UnknownCodec, Value,
};
use protocol::{Accept, Codec, DecodeErrorKind, Message, TaskRequest};

use crate::vectors::limits;

/// An envelope of a sound task with some fields replaced.
fn envelope(headers: &str, rest: &str) -> Vec<u8> {
    let body = "W1tdLCB7fSwge31d";
    format!(
        "{{\"body\": \"{body}\", \"content-type\": \"application/json\", \"content-encoding\": \"utf-8\", \
         \"headers\": {headers}{rest}, \
         \"properties\": {{\"body_encoding\": \"base64\", \"delivery_tag\": \"t\"}}}}"
    )
    .into_bytes()
}

fn task(headers: &str) -> Vec<u8> {
    envelope(&format!("{{\"task\": \"t\", \"id\": \"i\"{headers}}}"), "")
}

fn read(envelope: &[u8]) -> Result<TaskRequest, protocol::DecodeError> {
    let message = Message::from_envelope(envelope, &limits())?;
    TaskRequest::from_message(&message, &Accept::default(), &limits())
}

#[track_caller]
fn refused(envelope: &[u8], kind: DecodeErrorKind, path: &str) {
    let error = read(envelope).unwrap_err();
    assert_eq!((error.kind(), error.path()), (kind, path), "{error}");
}

#[test]
fn the_smallest_task_is_read() {
    let request = read(&task("")).unwrap();
    assert_eq!((request.id.as_str(), request.task.as_str()), ("i", "t"));
}

#[test]
fn wrong_headers_are_named() {
    for (header, kind, field) in [
        ("\"eta\": \"\"", Value, "eta"),
        ("\"eta\": 3", Type, "eta"),
        ("\"expires\": \"tomorrow\"", Value, "expires"),
        ("\"expires\": 1795164340.5", Type, "expires"),
        ("\"timelimit\": 3", Type, "timelimit"),
        ("\"timelimit\": [1]", Type, "timelimit"),
        ("\"timelimit\": [1, \"x\"]", Type, "timelimit[1]"),
        ("\"timelimit\": [NaN, 1]", Value, "timelimit[0]"),
        ("\"shadow\": [1]", Type, "shadow"),
        ("\"retries\": -1", Value, "retries"),
        ("\"retries\": \"2\"", Type, "retries"),
        ("\"retries\": 99999999999999999999", Type, "retries"),
        ("\"group\": 5", Type, "group"),
        ("\"group_index\": \"0\"", Type, "group_index"),
        ("\"stamps\": []", Type, "stamps"),
        ("\"stamped_headers\": [1]", Type, "stamped_headers[0]"),
        ("\"ignore_result\": 1", Type, "ignore_result"),
        ("\"argsrepr\": {}", Type, "argsrepr"),
        ("\"compression\": 7", Type, "compression"),
        ("\"compression\": \"rar\"", Compression, "compression"),
        ("\"id\": \"again\"", DuplicateKey, "id"),
        ("\"x\": 1, \"x\": 2", DuplicateKey, "x"),
        (
            "\"x\": {\"a\": [0, {\"b\": 1, \"b\": 2}]}",
            DuplicateKey,
            "x.a[1].b",
        ),
        ("\"x\": [\"\\ud800\"]", LoneSurrogate, "x[0]"),
        (
            "\"x\": {\"__type__\": \"set\", \"__value__\": []}",
            Value,
            "x.__type__",
        ),
        (
            "\"x\": {\"__type__\": \"decimal\", \"__value__\": \"ten\"}",
            Value,
            "x.__value__",
        ),
        ("\"x\": 1e999", Value, "x"),
    ] {
        let path = match header {
            "\"compression\": \"rar\"" => "body".to_owned(),
            _ => format!("headers.{field}"),
        };
        refused(&task(&format!(", {header}")), kind, &path);
    }
}

#[test]
fn ids_and_names_must_be_text() {
    refused(
        &envelope("{\"task\": 3, \"id\": \"i\"}", ""),
        Type,
        "headers.task",
    );
    refused(
        &envelope("{\"task\": \"t\", \"id\": [1]}", ""),
        Type,
        "headers.id",
    );
    refused(&envelope("{\"task\": \"t\"}", ""), Missing, "headers.id");
    refused(
        &envelope("{\"task\": \"\", \"id\": \"i\"}", ""),
        Missing,
        "headers.task",
    );
    refused(&envelope("[]", ""), Type, "headers");
    refused(
        &envelope("{}, \"headers\": {}", ""),
        DuplicateKey,
        "headers",
    );
}

#[test]
fn envelopes_that_are_none_are_refused() {
    for bytes in [
        &b""[..],
        b"null",
        b"[]",
        b"\"x\"",
        b"3",
        b"{",
        b"{\"body\"",
        b"\xff\xfe",
        b"{} {}",
    ] {
        let error = Message::from_envelope(bytes, &limits()).unwrap_err();
        assert!(matches!(error.kind(), Syntax | Type), "{error}");
    }
    refused(b"{\"headers\": {}}", Missing, "body");
    refused(b"{\"body\": {\"a\": 1}}", Type, "body");
    refused(
        b"{\"body\": \"*\", \"properties\": {\"body_encoding\": \"base64\"}}",
        Syntax,
        "body",
    );
    refused(
        b"{\"body\": \"\", \"properties\": {\"body_encoding\": \"rot13\"}}",
        Value,
        "properties.body_encoding",
    );
    refused(
        b"{\"body\": \"\", \"properties\": {\"delivery_tag\": [1]}}",
        Type,
        "properties.delivery_tag",
    );
    refused(
        b"{\"body\": \"\", \"properties\": {\"delivery_info\": {\"exchange\": 1}}}",
        Type,
        "properties.delivery_info.exchange",
    );
}

/// A task whose body is this JSON text, carried without base64.
fn with_body(body: &str) -> Message {
    let mut message = Message {
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: body.as_bytes().to_vec().into(),
        ..Message::default()
    };
    message.headers.task = Some("t".to_owned());
    message.headers.id = Some("i".to_owned());
    message
}

#[test]
fn wrong_bodies_are_named() {
    for (body, kind, path) in [
        ("3", Type, "body"),
        ("[]", Missing, "body[0]"),
        ("[1, {}, {}]", Type, "body[0]"),
        ("[[], [], {}]", Type, "body[1]"),
        ("[[], {}, {\"chord\": 3}]", Type, "body[2].chord"),
        (
            "[[], {}, {\"callbacks\": [{\"args\": []}]}]",
            Missing,
            "body[2].callbacks[0].task",
        ),
        ("[[], {}, {}, {}]", Type, "body"),
        ("[[], {\"a\": 1, \"a\": 1}, {}]", DuplicateKey, "body[1].a"),
        ("[[\"\\udc00\"], {}, {}]", LoneSurrogate, "body[0][0]"),
        ("[[", Syntax, "body[0][0]"),
        ("{\"args\": 3}", Type, "body.args"),
        ("{\"eta\": \"x\"}", Value, "body.eta"),
    ] {
        let error =
            TaskRequest::from_message(&with_body(body), &Accept::default(), &limits()).unwrap_err();
        assert_eq!(
            (error.kind(), error.path()),
            (kind, path),
            "{body}: {error}"
        );
    }
}

#[test]
fn serializers_are_refused_by_name() {
    let accept = Accept::default();
    let refused = |content_type: &str| {
        let message = Message {
            content_type: content_type.to_owned(),
            ..with_body("[[], {}, {}]")
        };
        TaskRequest::from_message(&message, &accept, &limits()).unwrap_err()
    };
    let pickle = refused("application/x-python-serialize");
    assert_eq!(pickle.kind(), Pickle);
    assert!(pickle.detail().contains("task_serializer"), "{pickle}");
    let msgpack = refused("application/x-msgpack");
    assert_eq!(
        (msgpack.kind(), msgpack.path()),
        (NotAccepted, "content-type")
    );
    assert!(msgpack.detail().contains("accept_content"), "{msgpack}");
    assert_eq!(refused("application/x-acme").kind(), UnknownCodec);
    assert_eq!(
        Accept::from_names(["json", "pickle"]).unwrap_err().kind(),
        Pickle
    );
}

#[test]
fn data_and_text_are_always_trusted() {
    let accept = Accept::new([]);
    for codec in [Codec::Raw, Codec::Text, Codec::Auth] {
        assert!(accept.contains(codec));
    }
    assert!(!accept.contains(Codec::Json));
}

#[test]
fn protocol_1_and_the_mix_are_read() {
    let body = "{\"task\": \"b\", \"id\": \"1\", \"args\": [1], \"retries\": 2, \"taskset\": \"g\", \
                \"eta\": \"2031-01-02T03:04:05\"}";
    let mut message = with_body(body);
    let mixed = TaskRequest::from_message(&message, &Accept::default(), &limits()).unwrap();
    assert_eq!(
        (mixed.task.as_str(), mixed.id.as_str(), mixed.retries),
        ("t", "i", 2)
    );
    message.headers = protocol::Headers::default();
    let old = TaskRequest::from_message(&message, &Accept::default(), &limits()).unwrap();
    assert_eq!((old.task.as_str(), old.id.as_str()), ("b", "1"));
    assert_eq!(old.group.as_deref(), Some("g"));
    assert_eq!(old.eta.unwrap().to_string(), "2031-01-02T03:04:05Z");
    assert_eq!(old.args_repr(), "(1,)");
    let error = TaskRequest::from_message(
        &{
            message.body = "{\"id\": \"1\"}".as_bytes().to_vec().into();
            message
        },
        &Accept::default(),
        &limits(),
    );
    assert_eq!(error.unwrap_err().path(), "body.task");
}

#[test]
fn other_yaml_than_data_is_refused() {
    for text in [
        "!!python/object:os.system x",
        "{a: 1, a: 2}",
        "{1: 2}",
        "&a [*a]",
        "a: b: c",
        "--- 1\n--- 2\n",
    ] {
        assert!(
            Codec::Yaml.decode(text.as_bytes(), &limits()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn msgpack_that_json_could_not_say_is_refused() {
    let extension = [0xd4, 0x05, 0x00];
    let number_key = [0x81, 0x01, 0x02];
    let twice = [0x82, 0xa1, b'a', 0x01, 0xa1, b'a', 0x02];
    let not_text = [0xa1, 0xff];
    for bytes in [
        &extension[..],
        &number_key,
        &twice,
        &not_text,
        &[0xc0, 0xc0],
    ] {
        assert!(
            Codec::Msgpack.decode(bytes, &limits()).is_err(),
            "{bytes:?}"
        );
    }
}

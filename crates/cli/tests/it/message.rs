use crate::sandbox::{Sandbox, stderr};

const ENVELOPE: &str = r#"{"body": "W1sxLCAyXSwgeyJ4IjogM30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwgImNob3JkIjogbnVsbH1d",
 "content-encoding": "utf-8", "content-type": "application/json",
 "headers": {"lang": "py", "task": "proj.add", "id": "abc", "retries": 0},
 "properties": {"correlation_id": "abc", "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "celery"},
 "priority": 0, "body_encoding": "base64", "delivery_tag": "t"}}"#;

#[test]
fn an_envelope_is_decoded_from_a_file_and_from_standard_input() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("envelope.json", ENVELOPE);
    let from_file = sandbox.json(&["message", "decode", file.to_str().unwrap()]);
    assert_eq!(from_file["headers"]["task"], "proj.add");
    assert_eq!(from_file["body"]["args"], serde_json::json!([1, 2]));
    assert_eq!(from_file["body"]["kwargs"]["x"], 3);

    let piped = sandbox
        .command(&["message", "decode", "-"])
        .write_stdin(format!("{ENVELOPE}\n"))
        .assert()
        .success();
    let from_input: serde_json::Value = serde_json::from_slice(&piped.get_output().stdout).unwrap();
    assert_eq!(from_input, from_file);
}

#[test]
fn what_is_no_message_is_told() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("bad.json", r#"{"body": 1}"#);
    let text = stderr(
        &sandbox
            .run(&["message", "decode", file.to_str().unwrap()])
            .code(1),
    );
    assert!(text.contains("cannot read the envelope"), "{text}");
    sandbox.run(&["message", "decode", "missing.json"]).code(1);
    let text = stderr(
        &sandbox
            .run(&["message", "decode", "--queue", "empty"])
            .code(1),
    );
    assert!(text.contains("queue empty is empty"), "{text}");
    sandbox.run(&["message", "decode"]).code(64);
}

#[test]
fn more_than_the_limit_is_not_read() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "celeriac_limits_payload_bytes = 1024\n");
    let file = sandbox.file("large.json", &" ".repeat(4_096));
    sandbox
        .run(&["message", "decode", file.to_str().unwrap()])
        .code(1);
}

/// What Python Celery sends with `task_protocol = 1`: everything is in the body.
const PROTOCOL_1: &str = r#"{"body": "eyJ0YXNrIjogInByb2ouYWRkIiwgImlkIjogImFiYyIsICJhcmdzIjogWzFdLCAia3dhcmdzIjoge30sICJyZXRyaWVzIjogMH0=",
 "content-encoding": "utf-8", "content-type": "application/json", "headers": {},
 "properties": {"delivery_info": {"exchange": "", "routing_key": "celery"}, "body_encoding": "base64", "delivery_tag": "t"}}"#;

#[test]
fn protocol_1_is_shown_with_name_and_id() {
    let sandbox = Sandbox::new();
    sandbox.file("v1.json", PROTOCOL_1);
    let message = sandbox.json(&["message", "decode", "v1.json"]);
    assert_eq!(message["body"]["task"], "proj.add");
    assert_eq!(message["body"]["id"], "abc");
}

#[test]
fn of_a_body_that_is_refused_the_headers_are_shown() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.json",
        &ENVELOPE.replace("application/json", "application/x-python-serialize"),
    );
    let shown = sandbox.run(&["message", "decode", "p.json"]).code(1);
    let message: serde_json::Value = serde_json::from_slice(&shown.get_output().stdout).unwrap();
    assert_eq!(message["headers"]["task"], "proj.add");
    assert!(
        message["body_error"]
            .as_str()
            .unwrap()
            .contains("pickle is refused"),
        "{message}"
    );
}

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

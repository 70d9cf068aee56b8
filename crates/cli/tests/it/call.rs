use crate::sandbox::{Sandbox, stderr, stdout};

#[test]
fn a_call_prints_the_task_s_id_and_is_pending() {
    let sandbox = Sandbox::new();
    let id = stdout(&sandbox.run(&["call", "proj.add", "-a", "[1, 2]"]).success());
    let id = id.trim();
    assert_eq!(id.len(), 36);
    assert_eq!(sandbox.json(&["result", id])["status"], "PENDING");
    let table = stdout(&sandbox.run(&["result", id]).success());
    assert!(table.contains("PENDING"), "{table}");
}

#[test]
fn options_reach_the_message() {
    let sandbox = Sandbox::new();
    let call = [
        "call",
        "proj.add",
        "-k",
        r#"{"x": "ü"}"#,
        "--queue",
        "q",
        "--priority",
        "3",
        "--task-id",
        "my-id",
        "--expires",
        "3600",
        "--serializer",
        "msgpack",
    ];
    assert_eq!(sandbox.json(&call)["task_id"], "my-id");
    let message = sandbox.json(&["message", "decode", "--queue", "q"]);
    assert_eq!(message["headers"]["task"], "proj.add");
    assert_eq!(message["content_type"], "application/x-msgpack");
    assert_eq!(message["properties"]["priority"], 3);
    assert_eq!(message["body"]["kwargs"]["x"], "ü");
    assert!(message["headers"]["expires"].as_str().is_some());
}

#[test]
fn arguments_that_are_no_json_are_refused() {
    let sandbox = Sandbox::new();
    for wrong in [
        ["-a", "{}"],
        ["-a", "[1"],
        ["-k", "[]"],
        ["--expires", "tomorrow"],
        ["--serializer", "pickle"],
    ] {
        let arguments = [&["call", "x"][..], &wrong].concat();
        let text = stderr(&sandbox.run(&arguments).code(64));
        assert!(text.contains("invalid value"), "{text}");
    }
}

#[test]
fn a_result_that_does_not_come_is_69() {
    let sandbox = Sandbox::new();
    let text = stderr(
        &sandbox
            .run(&["call", "proj.add", "--wait", "--timeout", "0.2"])
            .code(69),
    );
    assert!(text.contains("was not ready within"), "{text}");
}

#[test]
fn routes_of_the_settings_choose_the_queue() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "celeriac.toml",
        "[task_routes]\n'proj.*' = {queue = 'routed'}\n",
    );
    sandbox.run(&["call", "proj.add"]).success();
    assert_eq!(sandbox.json(&["queues"])["queues"]["routed"]["ready"], 1);
}

#[test]
fn waiting_without_a_result_backend_is_refused_before_the_task_is_sent() {
    let sandbox = Sandbox::new();
    let arguments = ["call", "x", "--wait", "--result-backend", "disabled"];
    let text = stderr(&sandbox.run(&arguments).code(1));
    assert!(text.contains("set result_backend"), "{text}");
    assert_eq!(sandbox.json(&["queues"])["queues"], serde_json::json!({}));
}

#[test]
fn a_value_that_is_none_is_told_with_what_it_must_be() {
    let sandbox = Sandbox::new();
    for (option, value, rule) in [
        ("--eta", "tomorrow", "like 2026-11-20T12:00:00Z"),
        ("--expires", "soon", "a number of seconds or a time"),
        ("--priority", "10", "0..=9"),
        ("--args", "{}", "must be a JSON list"),
    ] {
        let text = stderr(&sandbox.run(&["call", "t", option, value]).code(64));
        assert!(text.contains(rule), "{text}");
    }
}

#[test]
fn an_id_that_nothing_is_stored_under_is_told() {
    let text = stderr(&Sandbox::new().run(&["result", "none"]).success());
    assert!(text.contains("nothing is stored under this id"), "{text}");
}

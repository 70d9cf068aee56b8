use crate::sandbox::{Sandbox, stderr, stdout};

#[test]
fn queues_are_counted_and_purged() {
    let sandbox = Sandbox::new();
    let empty = stdout(&sandbox.run(&["queues"]).success());
    assert!(empty.contains("no worker has a lease"), "{empty}");
    for queue in ["a", "a", "b"] {
        sandbox
            .run(&["call", "proj.add", "--queue", queue])
            .success();
    }
    sandbox
        .run(&["call", "proj.add", "--queue", "a", "--priority", "6"])
        .success();
    let queues = sandbox.json(&["queues"]);
    assert_eq!(queues["queues"]["a"]["ready"], 3);
    assert_eq!(queues["queues"]["a"]["by_priority"]["6"], 1);
    let table = stdout(&sandbox.run(&["queues", "-Q", "b"]).success());
    assert!(table.contains("\nb "), "{table}");
    assert!(!table.contains("\na "), "{table}");

    let text = stderr(&sandbox.run(&["purge", "-Q", "a"]).code(64));
    assert!(text.contains("--force"), "{text}");
    assert_eq!(sandbox.json(&["purge", "-f", "-X", "b"])["a"], 3);
    assert_eq!(sandbox.json(&["queues"])["queues"]["b"]["ready"], 1);
}

#[test]
fn nothing_is_parked_at_first() {
    let sandbox = Sandbox::new();
    let list = stdout(&sandbox.run(&["parked", "list"]).success());
    assert_eq!(list, "nothing is parked\n");
    let text = stderr(&sandbox.run(&["parked", "show", "7"]).code(1));
    assert!(text.contains("no message is parked under 7"), "{text}");
    sandbox.run(&["parked", "requeue", "7"]).code(1);
    sandbox.run(&["parked", "delete"]).code(64);
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_are_listed() {
    let sandbox = Sandbox::new();
    let none = stdout(&sandbox.run(&["list", "bindings"]).success());
    assert_eq!(none, "there are no bindings yet\n");
    let _worker = sandbox.spawn_worker(&["-Q", "a"]).await;
    let row = serde_json::json!({"queue": "a", "exchange": "a", "routing_key": "a"});
    let bindings = sandbox.json(&["list", "bindings"]);
    assert_eq!(bindings, serde_json::json!([row]));
}

#[test]
fn a_report_masks_secrets_and_comes_without_a_broker() {
    let sandbox = Sandbox::new();
    let url = "redis://:hunter2@127.0.0.1:1/0";
    let report = stdout(&sandbox.run(&["report", "-b", url]).success());
    for text in [
        "software -> celeriac:",
        "platform -> system:linux",
        "broker   -> cannot be reached",
        "transport:redis://",
    ] {
        assert!(report.contains(text), "{text} is not in {report}");
    }
    assert!(!report.contains("hunter2"), "{report}");
    let report = sandbox.json(&["report"]);
    assert!(report["broker"].as_str().unwrap().starts_with("answers"));
}

//! Opening Redis by URL, with results beside the broker or elsewhere.

use serde_json::Value;
use testkit::RedisServer;

use crate::sandbox::{Sandbox, stderr};

fn results(sandbox: &Sandbox, broker: &str, backend: &str) -> Value {
    let findings = sandbox.json(&["doctor", "--broker", broker, "--result-backend", backend]);
    let mut all = findings.as_array().unwrap().iter();
    all.find(|finding| finding["subject"] == "result_backend")
        .unwrap()["found"]
        .clone()
}

#[test]
fn results_on_the_same_server_are_stored_in_one_step() {
    let (sandbox, server) = (Sandbox::new(), RedisServer::start());
    let url = server.url();
    assert_eq!(
        results(&sandbox, &url, &url),
        "stored in one step with the acknowledgement"
    );
    for elsewhere in ["sqlite:results.db", &url.replace("/0", "/1")] {
        assert_eq!(
            results(&sandbox, &url, elsewhere),
            "on a server of their own",
            "{elsewhere}"
        );
    }
    assert_eq!(
        results(&sandbox, &url, "disabled"),
        "not set: results are not kept"
    );
}

#[test]
fn a_wrong_password_is_a_matter_of_settings() {
    let (sandbox, server) = (
        Sandbox::new(),
        RedisServer::builder().password("hunter2").start(),
    );
    sandbox
        .run(&["queues", "--broker", &server.url()])
        .success();
    let wrong = server.url().replace("hunter2", "hunter3");
    let text = stderr(&sandbox.run(&["queues", "--broker", &wrong]).code(78));
    assert!(text.contains("check user and password"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}

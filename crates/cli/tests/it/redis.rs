//! Opening Redis by URL, with results beside the broker or elsewhere.

use serde_json::Value;
use testkit::RedisServer;

use crate::sandbox::{Sandbox, stderr};

fn find(sandbox: &Sandbox, broker: &str, backend: &str, subject: &str) -> Value {
    let doctor = [
        "doctor",
        "--json",
        "--broker",
        broker,
        "--result-backend",
        backend,
    ];
    // The test servers keep nothing on disk, which is a problem.
    let findings = sandbox.run(&doctor).code(1);
    let findings: Value = serde_json::from_slice(&findings.get_output().stdout).unwrap();
    let mut all = findings.as_array().unwrap().iter();
    all.find(|finding| finding["subject"] == subject)
        .unwrap()
        .clone()
}

fn results(sandbox: &Sandbox, broker: &str, backend: &str) -> Value {
    find(sandbox, broker, backend, "result_backend")["found"].clone()
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

#[test]
fn a_server_that_may_lose_tasks_is_a_problem() {
    let sandbox = Sandbox::new();
    let server = RedisServer::builder().maxmemory(64 << 20).start();
    let url = server.url();
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    for (subject, remedy) in [
        ("maxmemory-policy", "noeviction"),
        ("persistence", "appendonly yes"),
    ] {
        let finding = find(&sandbox, &url, &url, subject);
        assert_eq!(finding["severity"], "PROBLEM");
        assert!(
            finding["remedy"].as_str().unwrap().contains(remedy),
            "{finding}"
        );
    }
}

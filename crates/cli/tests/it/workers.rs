//! With a real worker on the other side.

use serde_json::{Value, json};
use testkit::wait_until;

use crate::sandbox::{PATIENCE, Sandbox, stderr, stdout};

#[test]
fn nobody_there_is_69() {
    let sandbox = Sandbox::new();
    for command in [
        &["status", "-t", "0.1"][..],
        &["inspect", "ping", "-t", "0.1"],
        &["control", "revoke", "x", "-t", "0.1"],
        &["control", "shutdown", "-t", "0.1"],
    ] {
        let text = stderr(&sandbox.run(command).code(69));
        assert!(
            text.contains("No nodes replied within time constraint (0.1 s)"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_answers_every_question() {
    let sandbox = Sandbox::new();
    let mut worker = sandbox
        .spawn_worker(&["-Q", "default", "-n", "w1@test", "-c", "2"])
        .await;
    let to_it = ["-d", "w1@test", "-t", "30"];

    let status = stdout(&sandbox.run(&[&["status"][..], &to_it].concat()).success());
    assert_eq!(status, "w1@test: OK\n\n1 node online.\n");
    let ask = |question: &str| {
        sandbox.json(&[&["inspect", question][..], &to_it].concat())["w1@test"].clone()
    };
    assert_eq!(ask("ping")["ok"], "pong");
    assert_eq!(ask("active"), json!([]));
    assert_eq!(ask("reserved"), json!([]));
    assert_eq!(ask("active_queues")[0]["name"], "default");
    assert!(ask("clock")["clock"].is_number());
    for question in [
        "scheduled",
        "registered",
        "revoked",
        "stats",
        "conf",
        "report",
    ] {
        assert!(!ask(question).is_null(), "{question}");
        sandbox
            .run(&[&["inspect", question][..], &to_it].concat())
            .success();
    }
    let table = stdout(
        &sandbox
            .run(&[&["inspect", "active_queues"][..], &to_it].concat())
            .success(),
    );
    assert!(table.contains("    name           default\n"), "{table}");
    assert!(table.ends_with("\n1 node online.\n"), "{table}");
    assert!(!table.contains("binding_arguments"), "{table}");
    let graph = [&["graph", "workers"][..], &to_it].concat();
    let graph = stdout(&sandbox.run(&graph).success());
    assert!(graph.contains("-> \"w1@test\";"), "{graph}");
    assert!(graph.contains("[label=\"slot 2\""), "{graph}");
    let query = [&["inspect", "query_task", "none"][..], &to_it].concat();
    assert_eq!(sandbox.json(&query)["w1@test"], json!({}));
    assert_eq!(sandbox.json(&["queues"])["workers"][0]["node"], "w1@test");

    worker.terminate();
    assert!(worker.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_waited_for_and_shown() {
    let sandbox = Sandbox::new();
    let _worker = sandbox.spawn_worker(&["-Q", "default"]).await;
    let call = [
        "call",
        "finflow.core.tasks.test_task",
        "--queue",
        "default",
        "--wait",
    ];
    let result = stdout(&sandbox.run(&call).success());
    assert!(result.contains("\"status\": \"success\""), "{result}");
    let meta = sandbox.json(&call);
    assert_eq!(meta["status"], "SUCCESS");
    let id = meta["task_id"].as_str().unwrap();
    for how in [&["--wait"][..], &[]] {
        let result = sandbox.run(&[&["result", id][..], how].concat());
        let shown = stdout(&result.success());
        assert!(shown.contains("\"status\": \"success\""), "{shown}");
    }
    let all = stdout(&sandbox.run(&["result", id, "--all"]).success());
    assert!(all.contains("date_done"), "{all}");

    let failing = [
        "call",
        "finflow.core.tasks.test_failure",
        "--queue",
        "default",
        "--wait",
    ];
    let text = stderr(&sandbox.run(&failing).code(1));
    assert!(text.starts_with("error: "), "{text}");
    let failed = sandbox.run(&[&failing[..], &["--json"]].concat()).code(1);
    let meta: Value = serde_json::from_slice(&failed.get_output().stdout).unwrap();
    assert_eq!(meta["status"], "FAILURE");
    let id = meta["task_id"].as_str().unwrap();
    assert!(stderr(&sandbox.run(&["result", id]).code(1)).starts_with("error: "));
    let none = stderr(&sandbox.run(&["result", id, "--traceback"]).success());
    assert!(none.contains("no traceback is stored"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_task_is_parked_shown_requeued_and_deleted() {
    let sandbox = Sandbox::new();
    let _worker = sandbox
        .spawn_worker(&["-Q", "default", "-n", "w2@test"])
        .await;
    sandbox
        .run(&["call", "no.such.task", "-a", "[7]", "--queue", "default"])
        .success();
    let parked = || {
        sandbox
            .json(&["parked", "list"])
            .as_array()
            .unwrap()
            .clone()
    };
    wait_until(PATIENCE, || async { parked().len() == 1 }).await;
    let entry = parked().remove(0);
    assert_eq!(entry["task"], "no.such.task");
    assert!(entry["reason"].as_str().unwrap().contains("no.such.task"));
    assert_eq!(sandbox.json(&["queues"])["queues"]["default"]["parked"], 1);

    let id = entry["id"].as_str().unwrap();
    let shown = sandbox.json(&["parked", "show", id]);
    assert_eq!(shown["message"]["body"]["args"], json!([7]));
    sandbox.run(&["parked", "requeue", id]).success();
    let again = || async {
        let parked = parked();
        parked.len() == 1 && parked[0]["id"] != id
    };
    wait_until(PATIENCE, again).await;
    let done = stdout(&sandbox.run(&["parked", "delete", "--all"]).success());
    assert_eq!(done, "deleted: 1\n");
    assert!(parked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn max_tasks_ends_the_worker() {
    let sandbox = Sandbox::new();
    let mut worker = sandbox
        .spawn_worker(&["-Q", "default", "--max-tasks", "1", "-l", "info"])
        .await;
    sandbox
        .run(&["call", "dashboard.tasks.debug_task", "--queue", "default"])
        .success();
    assert!(worker.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_queue_can_be_purged_before_the_start() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["call", "no.such.task", "--queue", "default"])
        .success();
    let _worker = sandbox.spawn_worker(&["-Q", "default", "--purge"]).await;
    assert_eq!(sandbox.json(&["queues"])["queues"]["default"]["ready"], 0);
    assert_eq!(sandbox.json(&["parked", "list"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_the_wrong_queue_says_who_has_the_task() {
    let sandbox = Sandbox::new();
    let script = sandbox
        .spawn_worker(&["-Q", "default", "-n", "has@test"])
        .await;
    let analytics = testkit::Process::spawn(
        std::process::Command::new(testkit::bin("celeriac-worker-analytics"))
            .args(["-Q", "wrong", "-n", "lacks@test"])
            .current_dir(sandbox.path())
            .env_clear(),
    );
    analytics
        .wait_for_line(|line| line.contains("worker ready"), PATIENCE)
        .await;
    let call = |task| {
        let call = ["call", task, "--queue", "wrong", "--wait"];
        stderr(&sandbox.run(&call).code(1))
    };
    let text = call("dashboard.tasks.debug_task");
    assert!(
        text.contains("has@test has it and consumes default"),
        "{text}"
    );
    let text = call("no.such.task");
    assert!(text.contains("no running worker has it"), "{text}");
    drop((script, analytics));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_controlled_and_addressed_by_pattern() {
    let sandbox = Sandbox::new();
    let mut worker = sandbox
        .spawn_worker(&["-Q", "default", "-n", "w1@test"])
        .await;
    let _other = sandbox
        .spawn_worker(&["-Q", "default", "-n", "x1@test"])
        .await;
    let control = |words: &[&str]| {
        let pattern = ["-p", "w*@test", "-t", "5"];
        sandbox.json(&[&["control"][..], words, &pattern].concat())
    };
    let replies = control(&["revoke", "a", "b"]);
    assert_eq!(replies.as_array().unwrap().len(), 1, "{replies}");
    let text = replies[0]["w1@test"]["ok"].as_str().unwrap();
    assert!(text.contains("flagged as revoked"), "{text}");
    let unknown = control(&["custom", "no_such_command", "n=2"]);
    let text = unknown[0]["w1@test"]["error"].as_str().unwrap();
    assert!(text.contains("no_such_command"), "{text}");

    let missing = ["status", "-d", "w1@test,none@test", "-t", "1", "-q"];
    let shown = stdout(&sandbox.run(&missing).success());
    assert_eq!(shown, "w1@test: OK\n");
    let missing = ["inspect", "ping", "-d", "w1@test,none@test", "-t", "1"];
    let text = stderr(&sandbox.run(&missing).success());
    assert!(text.contains("none@test did not reply"), "{text}");

    let shown = ["control", "shutdown", "-d", "w1@test", "-t", "30"];
    let shown = stdout(&sandbox.run(&shown).success());
    assert_eq!(shown, "->  w1@test: OK\n    shutdown requested\n");
    assert!(worker.wait_exit(PATIENCE).await.success());
}

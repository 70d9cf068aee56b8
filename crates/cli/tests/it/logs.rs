//! What a worker logs.

use serde_json::Value;

use crate::sandbox::{PATIENCE, Sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn logs_go_to_a_file_as_json() {
    let sandbox = Sandbox::new();
    sandbox.file(".env", "CELERIAC_LOG_FORMAT=json\n");
    let mut worker = testkit::Process::spawn(
        std::process::Command::new(testkit::bin("celeriac-worker-maintenance"))
            .args([
                "-Q",
                "default",
                "-n",
                "w3@test",
                "-f",
                "%n.log",
                "--max-tasks",
                "1",
            ])
            .current_dir(sandbox.path())
            .env_clear(),
    );
    let call = [
        "call",
        "finflow.core.tasks.test_task",
        "--queue",
        "default",
        "--wait",
    ];
    sandbox.run(&call).success();
    assert!(worker.wait_exit(PATIENCE).await.success());
    let log = std::fs::read_to_string(sandbox.path().join("w3.log")).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let run = lines
        .iter()
        .find(|line| line["span"]["task_id"].is_string())
        .unwrap();
    for field in ["task_id", "task_name", "attempt", "trace_id"] {
        assert!(!run["span"][field].is_null(), "{field} is not in {run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_level_a_failure_is_logged_with_the_task_s_id() {
    let sandbox = Sandbox::new();
    let worker = testkit::Process::spawn(
        std::process::Command::new(testkit::bin("celeriac-worker-maintenance"))
            .args(["-Q", "default", "-l", "ERROR"])
            .current_dir(sandbox.path())
            .env_clear(),
    );
    let failure = "finflow.core.tasks.test_failure";
    sandbox
        .run(&[
            "call",
            failure,
            "--queue",
            "default",
            "--task-id",
            "my-id",
            "--wait",
        ])
        .code(1);
    worker
        .wait_for_line(|line| line.contains("task failed"), PATIENCE)
        .await;
    let log = worker.output();
    assert!(log.contains("task_id=\"my-id\""), "{log}");
    assert!(!log.contains("INFO"), "{log}");
}

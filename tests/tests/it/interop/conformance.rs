//! The conformance worker: a Python client's canvas of every kind, its errors, retries and replacements.

use std::process::Command;

use testkit::{Process, RedisServer, bin, wait_until, workspace_root};

use super::{PATIENCE, python, scripts};

/// The conformance worker on this broker, with its own settings.
pub(super) fn worker(redis: &RedisServer) -> Process {
    let settings = workspace_root().join("tests/conformance-worker/celeriac.toml");
    let mut command = Command::new(bin("conformance-worker"));
    command
        .env("CELERY_BROKER_URL", redis.url())
        .env("CELERY_RESULT_BACKEND", redis.url())
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", redis.port().to_string())
        .arg("--config")
        .arg(settings)
        .args(["-n", "conformance@test", "-c", "4", "-l", "warning"]);
    Process::spawn(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_finds_celerys_behaviour() {
    let redis = RedisServer::start();
    let worker = worker(&redis);
    let script = scripts().join("conformance/checks.py");
    let seen = python(&redis.url()).run_file(&script, &[]);
    assert!(
        seen.ends_with("checks passed\n"),
        "{seen}\n{}",
        worker.output()
    );
    print!("{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn celerys_commands_call_tasks_and_read_their_results() {
    let redis = RedisServer::start();
    let _worker = worker(&redis);
    let celery = |arguments: &[&str]| {
        let all = [&["-A", "app"], arguments].concat();
        let folder = scripts().join("conformance");
        python(&redis.url()).run_module(&folder, "celery", &all)
    };
    let id = celery(&["call", "t.integration.tasks.add", "-a", "[2, 3]"]);
    let id = id.trim();
    let stored = format!("celery-task-meta-{id}");
    wait_until(PATIENCE, async || {
        redis.cli(&["EXISTS", &stored]).trim() == "1"
    })
    .await;
    assert_eq!(celery(&["result", id]).trim(), "5");
    let seen = celery(&["purge", "-f"]);
    assert!(seen.contains("No messages purged"), "{seen}");
}

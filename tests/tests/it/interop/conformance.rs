//! The conformance worker: a Python client's canvas of every kind, its errors, retries and replacements.

use std::process::Command;

use testkit::{Process, RedisServer, bin};

use super::{python, scripts};

/// The conformance worker's command on this broker, with Celery's own defaults where ours differ.
pub(super) fn worker_command(redis: &RedisServer) -> Command {
    let mut command = Command::new(bin("conformance-worker"));
    command
        .env("CELERY_BROKER_URL", redis.url())
        .env("CELERY_RESULT_BACKEND", redis.url())
        .env("CELERY_RESULT_EXTENDED", "true")
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", redis.port().to_string())
        .args(["-Q", "celery", "-n", "conformance@test", "-l", "warning"]);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_finds_celerys_behaviour() {
    let redis = RedisServer::start();
    let worker = Process::spawn(worker_command(&redis).args(["-c", "4"]));
    let script = scripts().join("conformance/checks.py");
    let seen = python(&redis.url()).run_file(&script, &[]);
    assert!(
        seen.ends_with("checks passed\n"),
        "{seen}\n{}",
        worker.output()
    );
    print!("{seen}");
}

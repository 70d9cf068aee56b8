//! The real Celery: a worker that is started, used and killed with all its children.

use std::fs;
use std::time::Duration;

use testkit::{Python, RedisServer, TempDir, wait_until};

const DEADLINE: Duration = Duration::from_secs(60);
const APP: &str = "
import os
from celery import Celery
app = Celery('app', broker=os.environ['URL'], backend=os.environ['URL'])

@app.task
def add(x, y):
    return x + y
";

#[tokio::test]
async fn a_python_worker_runs_a_task_and_dies_with_its_children() {
    let server = RedisServer::start();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("app.py"), APP).unwrap();
    let python = Python::find().env("URL", server.url());

    let worker = python.spawn_worker(folder.path(), "app", &["--concurrency", "2"]);
    worker
        .wait_for_line(|line| line.contains(" ready."), DEADLINE)
        .await;
    let call = "import app; print(app.add.delay(2, 3).get(timeout=60))";
    assert_eq!(python.run(folder.path(), call).trim(), "5");

    drop(worker);
    wait_until(DEADLINE, async || {
        // What is left is the connection of redis-cli itself, which comes by the unix socket.
        !server.cli(&["CLIENT", "LIST"]).contains("addr=127.0.0.1:")
    })
    .await;
}

#[test]
fn the_celery_of_the_recorded_vectors_is_installed() {
    let python = Python::find();
    let folder = TempDir::new().unwrap();
    let version = python.run_module(folder.path(), "celery", &["--version"]);
    assert!(version.starts_with("5.7.0"), "{version}");
}

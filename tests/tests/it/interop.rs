//! Real Python Celery on the other side: producers, workers, `celery inspect`, `celery events`, Flower.

mod canvas;
mod command_line;
mod compression;
mod conformance;
mod control;
mod django;
mod shared_queue;
mod tracing;

use std::path::PathBuf;
use std::time::Duration;

use testkit::{Process, Python, RedisServer, TempDir, free_port, wait_until, workspace_root};

use crate::drill::fleet::Fleet;

const PATIENCE: Duration = Duration::from_secs(60);
/// What a Rust worker listens to: remote control, and the events of other workers.
const LISTENS: &str = "2";

fn scripts() -> PathBuf {
    workspace_root().join("tests/python")
}

fn python(url: &str) -> Python {
    Python::find()
        .env("CELERY_BROKER_URL", url)
        .env("CELERY_RESULT_BACKEND", url)
}

fn script(url: &str, name: &str, arguments: &[&str]) -> String {
    python(url).run_file(&scripts().join(name), arguments)
}

/// A Rust worker with the drill's tasks on this broker.
fn rust_worker(redis: &RedisServer) -> Fleet {
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    fleet.start_worker();
    fleet
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_producer_refreshes_the_analytics() {
    let redis = RedisServer::start();
    let folder = TempDir::new().unwrap();
    let fleet = Fleet::new(redis.url(), folder, &[]);
    let system = Process::spawn(fleet.command("celeriac").args(["up", "--demo"]));
    system
        .wait_for_line(|line| line.contains("Analytics refreshed"), PATIENCE)
        .await;

    let result: serde_json::Value =
        serde_json::from_str(&script(&redis.url(), "produce_refresh.py", &[])).unwrap();

    assert_eq!(result["status"], "success", "{result}");
    assert_eq!(
        result["task"],
        "finflow.core.tasks.refresh_portfolio_analytics"
    );
    assert!(
        result["data"]["portfolios"].as_u64().unwrap() >= 3,
        "{result}"
    );
    assert!(
        result["data"]["totals"]["USD"]["nav"].is_string(),
        "money is a decimal string: {result}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_value_goes_there_and_back() {
    let redis = RedisServer::start();
    let _fleet = rust_worker(&redis);
    assert_eq!(script(&redis.url(), "echo_values.py", &[]).trim(), "18");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_the_classes_that_python_knows() {
    let redis = RedisServer::start();
    let _fleet = rust_worker(&redis);
    assert_eq!(script(&redis.url(), "failures.py", &[]).trim(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rust_producers_message_runs_on_a_python_worker() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let worker = python(&redis.url()).spawn_worker(&scripts(), "interop", &["-P", "solo"]);
    worker
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    let result = fleet.client(&["echo", r#"{"exact": "1.50", "list": [1, null, "Grüße"]}"#]);
    assert_eq!(
        result.trim(),
        r#"{"exact": "1.50", "list": [1, null, "Gr\u00fc\u00dfe"]}"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn celery_inspect_and_status_see_the_rust_worker() {
    let redis = RedisServer::start();
    let _fleet = rust_worker(&redis);
    let celery = |arguments: &[&str]| {
        python(&redis.url()).run_module(
            &scripts(),
            "celery",
            &[&["-A", "interop"], arguments].concat(),
        )
    };
    wait_until(PATIENCE, async || {
        redis.cli(&["PUBSUB", "NUMPAT"]).trim() == LISTENS
    })
    .await;
    let pong = celery(&["inspect", "ping", "-t", "5"]);
    assert!(
        pong.contains("pong") && pong.contains("1 node online"),
        "{pong}"
    );
    let status = celery(&["status", "-t", "5"]);
    assert!(
        status.contains("OK") && status.contains("1 node online"),
        "{status}"
    );
    let registered = celery(&["inspect", "registered", "-t", "5"]);
    assert!(registered.contains("drill.record"), "{registered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn celery_events_sees_the_rust_workers_tasks() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let events = python(&redis.url()).spawn_module(
        &scripts(),
        "celery",
        &["-A", "interop", "events", "--dump"],
    );
    wait_until(PATIENCE, async || {
        redis.cli(&["PUBSUB", "NUMPAT"]).trim() != "0"
    })
    .await;
    let _worker = Process::spawn(
        fleet
            .command("drill-worker")
            .args(["-Q", "celery", "-E", "-n", "seen@%h"]),
    );
    events
        .wait_for_line(
            |line| line.contains("seen@") && line.contains("heartbeat"),
            PATIENCE,
        )
        .await;
    fleet.send(1, 0);
    for word in ["received", "started", "succeeded"] {
        events
            .wait_for_line(
                |line| line.contains("drill.record") && line.contains(word),
                PATIENCE,
            )
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flower_shows_the_rust_worker() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let _worker = Process::spawn(fleet.command("drill-worker").args([
        "-Q",
        "celery",
        "-E",
        "-n",
        "seen@flower",
    ]));
    wait_until(PATIENCE, async || {
        redis.cli(&["PUBSUB", "NUMPAT"]).trim() == LISTENS
    })
    .await;
    let port = free_port().to_string();
    let python = python(&redis.url())
        .env("FLOWER_UNAUTHENTICATED_API", "true")
        .env("PORT", &port);
    let flower = python.spawn_module(
        &scripts(),
        "celery",
        &[
            "-A",
            "interop",
            "flower",
            "--address=127.0.0.1",
            &format!("--port={port}"),
        ],
    );
    // Flower listens to all events besides.
    wait_until(PATIENCE, async || {
        redis.cli(&["PUBSUB", "NUMPAT"]).trim() == "3"
    })
    .await;
    fleet.send(3, 0);
    let seen = python.run_file(&scripts().join("flower_sees.py"), &["seen@flower", "3"]);
    assert_eq!(seen.trim(), "ok", "{}", flower.output());
}

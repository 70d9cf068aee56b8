//! Python and Rust workers on one queue, killed on both sides.

use testkit::{Process, Python, RedisServer, TempDir, wait_until};

use super::{PATIENCE, python, script, scripts};
use crate::drill::fleet::Fleet;
use crate::drill::journal::Journal;

const TASKS: usize = 300;
const KILLS: usize = 6;

/// The visibility timeout is what brings back what a killed Python worker held, so it is short here.
fn settings() -> Vec<(&'static str, String)> {
    vec![
        ("CELERIAC_LEASE_SECONDS", "2".to_owned()),
        (
            "CELERY_BROKER_TRANSPORT_OPTIONS",
            r#"{"visibility_timeout": 8}"#.to_owned(),
        ),
    ]
}

fn python_with_short_timeout(url: &str) -> Python {
    python(url).env("VISIBILITY_TIMEOUT", "8")
}

fn python_worker(url: &str) -> Process {
    python_with_short_timeout(url).spawn_worker(
        &scripts(),
        "interop",
        &["-P", "prefork", "-c", "2"],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_on_both_sides_lose_nothing() {
    let redis = RedisServer::start();
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &settings());
    let journal = fleet.journal();
    let mut snake = python_worker(&redis.url());
    snake
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    fleet.start_worker();
    script(
        &redis.url(),
        "produce_record.py",
        &[journal.to_str().unwrap(), &TASKS.to_string(), "60"],
    );

    for kill in 0..KILLS {
        let until = (kill + 1) * TASKS / (KILLS + 3);
        wait_until(PATIENCE, async || {
            Journal::read(&journal).finished() >= until
        })
        .await;
        if kill % 2 == 0 {
            fleet.kill_one();
        } else {
            snake.kill();
            snake = python_worker(&redis.url());
        }
    }
    wait_until(PATIENCE * 2, async || {
        Journal::read(&journal).finished() == TASKS
    })
    .await;

    let pids = |runs: &Journal| {
        runs.0
            .values()
            .flatten()
            .map(|run| run.pid)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let by_rust = pids(&Journal::read(&journal))
        .into_iter()
        .filter(|pid| fleet.has_run(*pid))
        .count();
    assert!(by_rust > 0, "no task ran on a Rust worker");
    assert!(
        pids(&Journal::read(&journal)).len() > by_rust,
        "no task ran on a Python worker"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_worker_alone_gets_what_a_dead_rust_worker_held_or_had_deferred() {
    let redis = RedisServer::start();
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &settings());
    let journal = fleet.journal();
    fleet.start_worker();
    fleet.client(&["later", journal.to_str().unwrap(), "100", "2"]);
    fleet.send(4, 3_000);
    wait_until(PATIENCE, async || Journal::read(&journal).0.len() == 4).await;
    wait_until(PATIENCE, async || {
        redis.cli(&["ZCARD", "unacked_index"]).trim() == "5"
    })
    .await;
    fleet.kill_all();
    assert_eq!(Journal::read(&journal).finished(), 0);

    let snake = python_worker(&redis.url());
    snake
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    wait_until(PATIENCE, async || Journal::read(&journal).finished() == 5).await;
}

//! Python and Rust workers on one queue, killed on both sides.

use std::time::{Duration, Instant};

use testkit::{Process, Python, RedisServer, TempDir, wait_until};

use super::{PATIENCE, python, script, scripts};
use crate::drill::fleet::Fleet;
use crate::drill::journal::Journal;

const TASKS: usize = 300;
const KILLS: usize = 6;
/// The long drill: how long kills go on, one every so often, amid so many tasks at a time.
const LONG: Duration = Duration::from_secs(600);
const BETWEEN_KILLS: Duration = Duration::from_secs(4);
const BATCH: usize = 500;

/// The visibility timeout is what brings back what a killed Python worker held, so it is short here.
fn settings() -> Vec<(&'static str, String)> {
    vec![
        ("CELERIAC_LEASE_SECONDS", "2".to_owned()),
        ("CELERIAC_MAX_WORKER_DEATHS", "1000".to_owned()),
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

/// Python takes a message with one command and notes with the next that it holds it: what it has taken when it is killed between
/// the two is gone. So it is killed while it waits for another one, with those that it holds.
async fn kill_python(redis: &RedisServer, snake: &mut Process) {
    const QUEUE: &str = "celery";
    redis.cli(&["RENAME", QUEUE, "aside"]);
    wait_until(PATIENCE, async || {
        let clients = redis.cli(&["CLIENT", "LIST"]);
        let is_waiting = |client: &str| client.contains("flags=b") && client.contains("cmd=brpop");
        clients.lines().any(is_waiting)
    })
    .await;
    snake.kill();
    while !redis
        .cli(&["LMOVE", "aside", QUEUE, "LEFT", "RIGHT"])
        .trim()
        .is_empty()
    {}
    *snake = python_worker(&redis.url());
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
            kill_python(&redis, &mut snake).await;
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

/// Sends more whenever little is left, and kills a worker of one side and then of the other, until the time is over.
async fn kill_in_turn(
    fleet: &mut Fleet,
    snake: &mut Process,
    redis: &RedisServer,
) -> (usize, usize) {
    let journal = fleet.journal();
    let end = Instant::now() + LONG;
    let (mut sent, mut kills) = (0, 0);
    while Instant::now() < end {
        if sent - Journal::read(&journal).finished() < BATCH / 2 {
            let (path, first) = (journal.to_str().unwrap(), sent.to_string());
            let size = BATCH.to_string();
            script(
                &redis.url(),
                "produce_record.py",
                &[path, &size, "60", &first],
            );
            sent += BATCH;
        }
        tokio::time::sleep(BETWEEN_KILLS).await;
        kills += 1;
        if kills % 2 == 0 {
            fleet.kill_one();
        } else {
            kill_python(redis, snake).await;
        }
    }
    (sent, kills)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes: make drill-mixed"]
async fn long_kills_on_both_sides_lose_nothing() {
    let redis = RedisServer::start();
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &settings());
    let mut snake = python_worker(&redis.url());
    fleet.start_worker();
    let (sent, kills) = kill_in_turn(&mut fleet, &mut snake, &redis).await;
    let journal = fleet.journal();
    wait_until(PATIENCE * 3, async || {
        Journal::read(&journal).finished() == sent
    })
    .await;
    let journal = Journal::read(&journal);
    let by_rust = journal
        .0
        .values()
        .flatten()
        .filter(|run| fleet.has_run(run.pid))
        .count();
    let runs: usize = journal.0.values().map(Vec::len).sum();
    println!(
        "{kills} kills in {LONG:?}: 0 of {sent} tasks lost; {by_rust} of {runs} runs on Rust workers, {} repeated",
        runs - sent
    );
    assert!(by_rust > 0 && by_rust < runs, "one side has run nothing");
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

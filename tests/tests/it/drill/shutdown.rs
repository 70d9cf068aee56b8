//! A worker that is stopped in the middle of many tasks, with a time of grace as Kubernetes gives it: TERM is remapped to a soft
//! shutdown that ends before the grace does.

use std::time::Duration;

use testkit::{RedisServer, Signal, TempDir, wait_until};

use super::fleet::{Fleet, sqlite_in};
use super::journal::Journal;
use super::{PATIENCE, SLOTS};

/// Tasks of a few milliseconds.
const TASKS: usize = 10_000;
const MILLISECONDS: u64 = 3;
/// Of those that do not end within the grace.
const LONG_TASKS: usize = SLOTS;
/// From a worker's end to the start elsewhere of what it gave back.
const ELSEWHERE: u64 = 2_000;

/// The soft shutdown ends this long before the grace.
const MARGIN: Duration = Duration::from_secs(3);

fn settings(grace: Duration) -> Vec<(&'static str, String)> {
    let timeout = (grace - MARGIN).as_secs();
    vec![
        // Longer than the drill: nothing is given back by a lease that runs out.
        ("CELERIAC_LEASE_SECONDS", "600".to_owned()),
        ("REMAP_SIGTERM", "SIGQUIT".to_owned()),
        ("CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT", timeout.to_string()),
    ]
}

async fn nothing_is_lost_or_doubled(broker: String, folder: TempDir, grace: Duration) {
    let mut fleet = Fleet::new(broker, folder, &settings(grace));
    let journal = fleet.journal();
    // Whoever comes first takes the long ones, and cannot end them within the grace.
    let long = 2 * u64::try_from(grace.as_millis()).unwrap();
    fleet.send_from(0, LONG_TASKS / 2, long);
    fleet.start_worker();
    wait_until(PATIENCE, async || {
        Journal::read(&journal).0.len() == LONG_TASKS / 2
    })
    .await;
    fleet.start_worker();
    fleet.send_from(LONG_TASKS / 2, TASKS - LONG_TASKS / 2, MILLISECONDS);
    wait_until(PATIENCE, async || {
        Journal::read(&journal).finished() >= TASKS / 20
    })
    .await;

    let (stopped, ended) = fleet.end_first(Signal::SIGTERM, grace).await;
    let interrupted = Journal::read(&journal).running_on(stopped);
    wait_until(PATIENCE, async || {
        Journal::read(&journal).finished() == TASKS
    })
    .await;
    fleet.stop().await;

    let journal = Journal::read(&journal);
    let mut slowest = 0;
    for (number, before, after) in journal.repeated() {
        let given_back = before.pid == stopped && before.ended.is_none();
        assert!(
            given_back,
            "task {number} ran again after {before:?}: {after:?}"
        );
        slowest = slowest.max(after.started.saturating_sub(ended));
    }
    println!(
        "TERM amid {TASKS} tasks with {grace:?} of grace: none lost, none doubled, {} given back, the last started elsewhere \
         {slowest} ms after the worker's end",
        interrupted.len()
    );
    assert!(!interrupted.is_empty(), "nothing ran when the worker ended");
    assert_eq!(journal.repeated().count(), interrupted.len());
    assert!(
        slowest <= ELSEWHERE,
        "started elsewhere only after {slowest} ms"
    );
}

const SHORT: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_amid_many_tasks_loses_nothing_on_redis() {
    let redis = RedisServer::start();
    nothing_is_lost_or_doubled(redis.url(), TempDir::new().unwrap(), SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make drill"]
async fn long_stop_amid_many_tasks_loses_nothing_on_redis() {
    let redis = RedisServer::start();
    nothing_is_lost_or_doubled(redis.url(), TempDir::new().unwrap(), LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make drill"]
async fn long_stop_amid_many_tasks_loses_nothing_on_sqlite() {
    let folder = TempDir::new().unwrap();
    nothing_is_lost_or_doubled(sqlite_in(folder.path()), folder, LONG).await;
}

//! Kill drills on real servers with real processes: what is lost, what runs twice, how soon orphans start again.

mod beats;
mod claims;
mod computing;
pub mod fleet;
mod flows;
pub mod journal;
mod shutdown;

use std::time::Duration;

use testkit::{RedisServer, TempDir, wait_until};

use fleet::{Fleet, sqlite_in};
use journal::{Journal, Run};

const TASKS: usize = 2_000;
const KILLS: usize = 50;
const WORKERS: usize = 3;
/// Of each worker.
pub const SLOTS: usize = 4;
const LEASE: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(120);

fn late() -> Vec<(&'static str, String)> {
    vec![
        ("CELERIAC_LEASE_SECONDS", LEASE.as_secs().to_string()),
        // Here workers do not die of their tasks, however often the same one is hit.
        ("CELERIAC_MAX_WORKER_DEATHS", "1000".to_owned()),
    ]
}

fn early() -> Vec<(&'static str, String)> {
    [late(), vec![("CELERY_TASK_ACKS_LATE", "false".to_owned())]].concat()
}

/// Starts workers, sends the tasks, and kills a random worker again and again while they run.
async fn drill(broker: String, folder: TempDir, settings: &[(&'static str, String)]) -> Fleet {
    let mut fleet = Fleet::new(broker, folder, settings);
    fleet.send(TASKS, 90);
    for _ in 0..WORKERS {
        fleet.start_worker();
    }
    fleet.kill_amid(TASKS, KILLS).await;
    fleet
}

/// Every run that repeats another was one that the killed process had started and not settled. Returns how many of them
/// were interrupted, and how many had ended without their acknowledgement having left.
fn only_killed_runs_are_repeated(fleet: &Fleet, journal: &Journal) -> (usize, usize) {
    let (mut interrupted, mut unsettled) = (0, 0);
    for (number, before, after) in journal.repeated() {
        let killed = fleet.killed.contains_key(&before.pid);
        assert!(
            killed,
            "task {number} ran again although nobody killed {before:?}; then {after:?}"
        );
        *if before.ended.is_none() {
            &mut interrupted
        } else {
            &mut unsettled
        } += 1;
    }
    (interrupted, unsettled)
}

/// The longest time from a kill to the new start of what was running, in milliseconds.
fn longest_recovery(fleet: &Fleet, journal: &Journal) -> u64 {
    let recovery =
        |before: &Run, after: &Run| after.started.saturating_sub(fleet.killed[&before.pid]);
    journal
        .repeated()
        .map(|(_, before, after)| recovery(&before, &after))
        .max()
        .unwrap_or(0)
}

async fn nothing_is_lost(broker: String, folder: TempDir) {
    let mut fleet = drill(broker, folder, &late()).await;
    wait_until(PATIENCE, async || {
        Journal::read(&fleet.journal()).finished() == TASKS
    })
    .await;
    fleet.stop().await;
    let journal = Journal::read(&fleet.journal());
    let (interrupted, unsettled) = only_killed_runs_are_repeated(&fleet, &journal);
    let recovery = longest_recovery(&fleet, &journal);
    println!(
        "{KILLS} kills: 0 of {TASKS} lost, {interrupted} interrupted and {unsettled} unacknowledged runs repeated, \
         the last {recovery} ms after its kill"
    );
    assert!(
        interrupted <= KILLS * SLOTS,
        "{interrupted} runs were interrupted, more than can have been running"
    );
    assert!(
        unsettled <= KILLS * SLOTS,
        "{unsettled} ended runs were repeated, more than slots"
    );
    assert!(
        u128::from(recovery) <= (2 * LEASE).as_millis(),
        "an orphan started again only after {recovery} ms"
    );
}

async fn early_acknowledgement_reports_its_losses(broker: String, folder: TempDir) {
    let mut fleet = drill(broker, folder, &early()).await;
    // A task is accounted for when it has ended or its loss has been reported as a result.
    let accounted = async || {
        let finished = Journal::read(&fleet.journal()).finished_numbers();
        finished.union(&lost(&fleet).into_iter().collect()).count() == TASKS
    };
    wait_until(PATIENCE, accounted).await;
    fleet.stop().await;
    let journal = Journal::read(&fleet.journal());
    assert_eq!(
        journal.repeated().count(),
        0,
        "a task that is acknowledged early never runs twice"
    );
    let lost = lost(&fleet);
    for number in &lost {
        let run = journal.0.get(number).and_then(|runs| runs.last());
        let killed = run.is_none_or(|run| fleet.killed.contains_key(&run.pid));
        assert!(
            killed,
            "task {number} is reported as lost, but its worker lived: {run:?}"
        );
    }
    println!(
        "{KILLS} kills with early acknowledgement: {} of {TASKS} runs lost, each reported",
        lost.len()
    );
    assert!(
        !lost.is_empty(),
        "{KILLS} kills lost nothing: the drill did not hit a running task"
    );
}

/// The numbers of the tasks whose stored result is FAILURE `WorkerLostError`.
fn lost(fleet: &Fleet) -> Vec<usize> {
    let numbers = fleet.client(&["lost", &TASKS.to_string()]);
    numbers
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_on_redis() {
    let redis = RedisServer::start();
    nothing_is_lost(redis.url(), TempDir::new().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_on_sqlite() {
    let folder = TempDir::new().unwrap();
    nothing_is_lost(sqlite_in(folder.path()), folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_acknowledgement_loses_only_what_was_running_on_redis() {
    let redis = RedisServer::start();
    early_acknowledgement_reports_its_losses(redis.url(), TempDir::new().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_acknowledgement_loses_only_what_was_running_on_sqlite() {
    let folder = TempDir::new().unwrap();
    early_acknowledgement_reports_its_losses(sqlite_in(folder.path()), folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consuming_goes_on_after_restarts_and_killed_connections() {
    const BREAKS: usize = 20;
    let mut redis = RedisServer::builder().appendonly().start();
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &late());
    fleet.start_worker();
    for round in 0..BREAKS {
        if round % 2 == 0 {
            redis.restart();
        } else {
            redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
            redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        }
        fleet.send(10, 0);
        let expected = 10 * (round + 1);
        let runs = || {
            Journal::read(&fleet.journal())
                .0
                .values()
                .map(Vec::len)
                .sum::<usize>()
        };
        wait_until(Duration::from_secs(10), async || runs() >= expected).await;
    }
    assert!(
        fleet.is_running(),
        "the worker did not live through it:\n{}",
        fleet.output()
    );
    fleet.stop().await;
}

//! Workers that are killed, frozen beyond their lease, or cut off in the middle of chains, groups and chords of tasks of every pool.

use std::time::{Duration, Instant};

use testkit::{RedisServer, TempDir, wait_until};

use super::fleet::{Fleet, sqlite_in};
use super::journal::Journal;
use super::{PATIENCE, WORKERS, late};

/// How much of it.
#[derive(Clone, Copy)]
struct Scale {
    /// Chains, groups and chords, of each as many.
    flows: usize,
    hazards: usize,
}

const SHORT: Scale = Scale {
    flows: 30,
    hazards: 6,
};
const LONG: Scale = Scale {
    flows: 600,
    hazards: 90,
};
/// How long a task takes.
const MILLISECONDS: u64 = 150;

async fn kill(fleet: &mut Fleet) {
    fleet.kill_one();
}

/// Freezes a worker until everything that it ran runs elsewhere, then lets it go on.
async fn freeze(fleet: &mut Fleet) {
    let journal = fleet.journal();
    let pid = fleet.freeze_one().await;
    let interrupted = Journal::read(&journal).running_on(pid);
    wait_until(PATIENCE, async || {
        let journal = Journal::read(&journal);
        let runs_elsewhere = |number| journal.0[number].iter().any(|run| run.pid != pid);
        interrupted.iter().all(runs_elsewhere)
    })
    .await;
    fleet.thaw();
}

async fn cut(redis: &RedisServer) {
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
}

/// Waits until all tasks have ended and all results are there.
async fn settled(fleet: &Fleet, tasks: usize) {
    let unsuccessful = || fleet.client(&["unsuccessful", &tasks.to_string()]);
    let mut seen = (0, Instant::now());
    loop {
        let finished = Journal::read(&fleet.journal()).finished();
        if finished == tasks && unsuccessful().is_empty() {
            return;
        }
        if finished > seen.0 {
            seen = (finished, Instant::now());
        }
        assert!(
            seen.1.elapsed() < PATIENCE / 2,
            "{finished} of {tasks} tasks have ended, and no more for a long time; not successful:\n{}\n{}",
            unsuccessful(),
            fleet.output()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every flow ends well, every task runs once but for those that ran on a worker which was killed or frozen; so a chord's body is
/// called once, with the results of all its members.
async fn every_flow_ends_once(mut fleet: Fleet, redis: Option<&RedisServer>, scale: Scale) {
    let tasks = fleet.send_flows(scale.flows, MILLISECONDS);
    for _ in 0..WORKERS {
        fleet.start_worker();
    }
    for hazard in 0..scale.hazards {
        let until = (hazard + 1) * tasks / (scale.hazards + 2);
        wait_until(PATIENCE, async || {
            Journal::read(&fleet.journal()).0.len() >= until
        })
        .await;
        match (hazard % 3, redis) {
            (0, _) => kill(&mut fleet).await,
            (1, _) => freeze(&mut fleet).await,
            (_, Some(redis)) => cut(redis).await,
            (_, None) => kill(&mut fleet).await,
        }
    }
    settled(&fleet, tasks).await;
    fleet.stop().await;
    let journal = Journal::read(&fleet.journal());
    let mut repeated = 0;
    for (number, before, after) in journal.repeated() {
        // On a machine that stands still for a lease, a worker is declared dead that nobody has touched; it says so. One that is
        // frozen between its last look at the hold and the task's first statement begins after another has.
        let log = fleet.output_of(before.pid);
        let disturbed = fleet.was_disturbed(before.pid) || fleet.thawed.contains(&after.pid);
        assert!(
            disturbed || log.contains("declared dead"),
            "task {number} ran again although nobody disturbed {before:?}; then {after:?}; that worker's log:\n{log}"
        );
        repeated += 1;
    }
    println!(
        "{} hazards: 0 of {tasks} tasks in {} flows lost, {repeated} runs of killed, frozen and fenced workers repeated",
        scale.hazards,
        3 * scale.flows
    );
}

async fn on_redis(scale: Scale) {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &late());
    every_flow_ends_once(fleet, Some(&redis), scale).await;
}

async fn on_sqlite(scale: Scale) {
    let folder = TempDir::new().unwrap();
    let fleet = Fleet::new(sqlite_in(folder.path()), folder, &late());
    every_flow_ends_once(fleet, None, scale).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_end_once_on_redis() {
    on_redis(SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_end_once_on_sqlite() {
    on_sqlite(SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make drill"]
async fn long_flows_end_once_on_redis() {
    on_redis(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make drill"]
async fn long_flows_end_once_on_sqlite() {
    on_sqlite(LONG).await;
}

//! Child processes of real workers on real servers: who dies with whom, and what becomes of the tasks.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use testkit::{RedisServer, TempDir, wait_until};

use crate::drill::fleet::{Fleet, sqlite_in};
use crate::drill::journal::Journal;

const PATIENCE: Duration = Duration::from_secs(60);

fn settings(pool: &str) -> Vec<(&'static str, String)> {
    vec![
        ("CELERIAC_LEASE_SECONDS", "3".to_owned()),
        ("CELERY_WORKER_POOL", pool.to_owned()),
    ]
}

/// The children of a process.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let all_threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    let of_threads = all_threads
        .flatten()
        .map(|thread| thread.path().join("children"));
    let texts = of_threads
        .chain([path.into()])
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    let mut pids: Vec<u32> = texts
        .flat_map(|text| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|pid| pid.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

/// Proportional memory in KiB.
fn pss(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_stop_of_the_whole_group_finishes_what_runs_in_children() {
    const TASKS: usize = 400;
    let redis = RedisServer::start();
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &settings("prefork"));
    fleet.send(TASKS, 20);
    fleet.start_worker();
    wait_until(PATIENCE, async || {
        Journal::read(&fleet.journal()).finished() >= TASKS / 4
    })
    .await;
    let worker = fleet.newest();
    let own = children(worker);
    assert_eq!(own.len(), crate::drill::SLOTS, "one child for each slot");
    println!(
        "worker {} KiB, children {:?} KiB of proportional memory",
        pss(worker),
        own.iter().map(|pid| pss(*pid)).collect::<Vec<_>>()
    );
    // As systemd with KillMode=control-group: everybody is told.
    for pid in &own {
        killpg(Pid::from_raw(i32::try_from(*pid).unwrap()), Signal::SIGTERM).unwrap();
    }
    fleet.stop_newest().await;
    assert!(
        own.iter().all(|pid| !is_alive(*pid)),
        "no child outlives its worker"
    );
    let unfinished = |journal: &Journal| {
        journal
            .0
            .values()
            .flatten()
            .filter(|run| run.ended.is_none())
            .count()
    };
    assert_eq!(
        unfinished(&Journal::read(&fleet.journal())),
        0,
        "what ran was finished"
    );
    fleet.start_worker();
    wait_until(PATIENCE, async || {
        Journal::read(&fleet.journal()).finished() == TASKS
    })
    .await;
    fleet.stop().await;
    let journal = Journal::read(&fleet.journal());
    assert_eq!(journal.repeated().count(), 0, "none ran twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn children_die_with_a_killed_worker_and_their_tasks_run_elsewhere() {
    let folder = TempDir::new().unwrap();
    let mut fleet = Fleet::new(sqlite_in(folder.path()), folder, &settings("prefork"));
    fleet.send(8, 3_000);
    fleet.start_worker();
    let started = || Journal::read(&fleet.journal()).0.len();
    wait_until(PATIENCE, async || started() >= crate::drill::SLOTS).await;
    let own = children(fleet.newest());
    fleet.kill_one();
    wait_until(PATIENCE, async || own.iter().all(|pid| !is_alive(*pid))).await;
    wait_until(PATIENCE, async || {
        Journal::read(&fleet.journal()).finished() == 8
    })
    .await;
    fleet.stop().await;
}

/// A task that kills the whole worker twice is run in a child the third time, dies there alone, and is parked.
async fn a_killer_is_parked(broker: String, folder: TempDir) {
    let mut fleet = Fleet::new(broker, folder, &settings("async"));
    let journal = fleet.journal();
    fleet.client(&["kill", journal.to_str().unwrap(), "0"]);
    for _ in 0..2 {
        fleet.start_worker();
        fleet.bury_newest().await;
    }
    fleet.start_worker();
    wait_until(PATIENCE, async || parked(&fleet).is_some()).await;
    let reason = parked(&fleet).unwrap();
    assert!(
        reason.starts_with("3 workers have died with this task; the last: Worker exited prematurely: signal 6 (SIGABRT)"),
        "{reason}"
    );
    assert_eq!(
        fleet.client(&["lost", "1"]).trim(),
        "0",
        "its result says so"
    );
    assert_eq!(Journal::read(&journal).0[&0].len(), 3, "it ran three times");
    assert!(fleet.is_running(), "{}", fleet.output());
    fleet.stop().await;
}

fn parked(fleet: &Fleet) -> Option<String> {
    let output = fleet
        .command("celeriac")
        .args(["parked", "list", "--json"])
        .output()
        .unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(list.as_array()?.first()?["reason"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killer_is_parked_on_redis() {
    let redis = RedisServer::start();
    a_killer_is_parked(redis.url(), TempDir::new().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killer_is_parked_on_sqlite() {
    let folder = TempDir::new().unwrap();
    a_killer_is_parked(sqlite_in(folder.path()), folder).await;
}

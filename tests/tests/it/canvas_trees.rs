//! Random canvas trees: the same ones under Celery and under the conformance worker, and under workers that are killed.
//!
//! `TREES` and `TREES_SEED` in the environment say how many and which.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use testkit::{Process, Python, RedisServer, TempDir, bin, workspace_root};

const PATIENCE: Duration = Duration::from_secs(60);
const WORKERS: usize = 3;
/// Trees that are sent at a time, each time to new servers and workers.
const BATCH: usize = 500;
/// The leases of a worker that nobody kills, and of those that are killed.
const UNDISTURBED: &str = "60";
const KILLED: &str = "3";
const BETWEEN_KILLS: Duration = Duration::from_millis(1_500);

fn folder() -> PathBuf {
    workspace_root().join("tests/python/canvas_trees")
}

fn python(redis: &RedisServer) -> Python {
    Python::find().env("CELERY_BROKER_URL", redis.url())
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn seed() -> String {
    setting("TREES_SEED", "celeriac")
}

/// The batches of trees to run: the first number and how many, as arguments.
fn batches(default: usize) -> Vec<[String; 2]> {
    let all: usize = setting("TREES", &default.to_string()).parse().unwrap();
    let starts = (0..all).step_by(BATCH);
    starts
        .map(|first| [first.to_string(), BATCH.min(all - first).to_string()])
        .collect()
}

/// A conformance worker on this broker; `number` tells it from the others. What it held is had again after the lease, in seconds.
fn our_worker(redis: &RedisServer, number: usize, lease: &str) -> Process {
    let mut command = Command::new(bin("conformance-worker"));
    command
        .env("CELERY_BROKER_URL", redis.url())
        .env("CELERY_RESULT_BACKEND", redis.url())
        .env("CELERIAC_LEASE_SECONDS", lease)
        // The kills are the drill's: a task that was there by chance each time is not to be parked for them.
        .env("CELERIAC_MAX_WORKER_DEATHS", "100")
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", redis.port().to_string())
        .args(["-Q", "celery", "-c", "4", "-l", "critical"])
        .args(["-n", &format!("trees{number}@test")]);
    Process::spawn(&mut command)
}

async fn celery_worker(redis: &RedisServer) -> Process {
    let worker = python(redis).spawn_worker(&folder(), "tasks", &["-P", "solo"]);
    worker
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    worker
}

/// Starts sending these trees and waiting for their end.
fn run(redis: &RedisServer, batch: &[String; 2], outcome: &str, more: &[&str]) -> Process {
    let mut command = python(redis).command(&folder());
    command
        .args(["run.py", &seed()])
        .args(batch)
        .arg(outcome)
        .args(more);
    Process::spawn(&mut command)
}

async fn finish(mut run: Process) {
    let status = run.wait_exit(Duration::from_secs(900)).await;
    assert!(status.success(), "{}", run.output());
}

/// Compares two outcomes, prints the summary, and fails when the script finds fault.
fn compare(script: &str, left: &str, right: &str) {
    let seen = Python::find().run_file(&folder().join(script), &[left, right]);
    println!("{}", seen.trim());
}

fn outcomes(folder: &TempDir) -> [String; 2] {
    ["left.json", "right.json"].map(|name| folder.path().join(name).display().to_string())
}

async fn ends_as_under_celery(batch: &[String; 2]) {
    let (left, right) = (RedisServer::start(), RedisServer::start());
    let folder = TempDir::new().unwrap();
    let [celery, ours] = outcomes(&folder);
    let _celery_worker = celery_worker(&left).await;
    let _our_worker = our_worker(&right, 0, UNDISTURBED);
    let beside = run(&left, batch, &celery, &[]);
    finish(run(&right, batch, &ours, &[])).await;
    finish(beside).await;
    compare("compare.py", &celery, &ours);
}

async fn ends_as_without_kills(batch: &[String; 2]) {
    let (left, right) = (RedisServer::start(), RedisServer::start());
    let folder = TempDir::new().unwrap();
    let [living, killed] = outcomes(&folder);
    let _living_worker = our_worker(&left, 0, UNDISTURBED);
    let undisturbed = run(&left, batch, &living, &[]);
    let mut workers: Vec<Process> = (0..WORKERS)
        .map(|number| our_worker(&right, number, KILLED))
        .collect();
    let mut disturbed = run(&right, batch, &killed, &[&WORKERS.to_string(), "0.1"]);
    disturbed
        .wait_for_line(|line| line == "sent", PATIENCE * 5)
        .await;
    let mut kills = 0;
    while disturbed.is_running() {
        let number = kills % WORKERS;
        workers[number].kill();
        workers[number] = our_worker(&right, number, KILLED);
        kills += 1;
        tokio::time::sleep(BETWEEN_KILLS).await;
    }
    finish(disturbed).await;
    finish(undisturbed).await;
    println!("{kills} kills");
    compare("killed.py", &living, &killed);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_trees_end_as_under_celery() {
    for batch in batches(500) {
        ends_as_under_celery(&batch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_trees_end_once_however_many_workers_are_killed() {
    for batch in batches(60) {
        ends_as_without_kills(&batch).await;
    }
}

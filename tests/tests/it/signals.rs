//! What a worker's process does when it is sent a signal.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use testkit::{Process, Signal, TempDir, wait_until};

use crate::drill::fleet::{Fleet, sqlite_in};
use crate::drill::journal::Journal;

const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any test waits, in milliseconds.
const LONG: u64 = 3_600_000;

/// One worker process, and what it runs.
struct Worker {
    fleet: Fleet,
    process: Process,
}

impl Worker {
    async fn start(settings: &[(&'static str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let broker = sqlite_in(folder.path());
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let fleet = Fleet::new(broker, folder, &settings);
        let process = Process::spawn(&mut command(&fleet));
        let worker = Self { fleet, process };
        worker.says("worker ready").await;
        worker
    }

    async fn says(&self, text: &str) {
        self.process
            .wait_for_line(|line| line.contains(text), PATIENCE)
            .await;
    }

    /// Sends a task of this many milliseconds and waits until it runs.
    async fn run(&self, milliseconds: u64) {
        self.fleet.send(1, milliseconds);
        wait_until(PATIENCE, async || self.journal().0.len() == 1).await;
    }

    fn journal(&self) -> Journal {
        Journal::read(&self.path())
    }

    fn path(&self) -> PathBuf {
        self.fleet.journal()
    }

    fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    async fn exit_code(&mut self) -> Option<i32> {
        self.process.wait_exit(PATIENCE).await.code()
    }

    /// Another worker is given the task at once, long before a lease runs out.
    async fn runs_elsewhere(&self) {
        let _second = Process::spawn(&mut command(&self.fleet));
        let again = async || self.journal().0.values().all(|runs| runs.len() == 2);
        wait_until(PATIENCE, again).await;
    }
}

fn command(fleet: &Fleet) -> Command {
    let mut command = fleet.command("drill-worker");
    // A lease that no test outlives: what is given back is given back by the worker.
    command.env("CELERIAC_LEASE_SECONDS", "600");
    command.args(["-c", "2", "-l", "INFO"]);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn term_finishes_what_runs_however_often_it_comes() {
    let mut worker = Worker::start(&[]).await;
    worker.run(1_500).await;
    for _ in 0..3 {
        worker.signal(Signal::SIGTERM);
    }
    assert_eq!(worker.exit_code().await, Some(0));
    assert_eq!(worker.journal().finished(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_interrupt_gives_back_what_runs() {
    let mut worker = Worker::start(&[]).await;
    worker.run(LONG).await;
    worker.signal(Signal::SIGINT);
    worker.says("warm shutdown").await;
    worker.signal(Signal::SIGINT);
    assert_eq!(worker.exit_code().await, Some(0));
    worker.runs_elsewhere().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quit_gives_back_what_runs() {
    let mut worker = Worker::start(&[]).await;
    worker.run(LONG).await;
    worker.signal(Signal::SIGQUIT);
    assert_eq!(worker.exit_code().await, Some(0));
    worker.runs_elsewhere().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quit_waits_for_a_soft_shutdown_and_ends_it_when_repeated() {
    let mut worker = Worker::start(&[("CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT", "3600")]).await;
    worker.run(LONG).await;
    worker.signal(Signal::SIGQUIT);
    worker.says("soft shutdown").await;
    worker.signal(Signal::SIGQUIT);
    assert_eq!(worker.exit_code().await, Some(0));
    worker.runs_elsewhere().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remapped_term_is_a_quit() {
    let mut worker = Worker::start(&[("REMAP_SIGTERM", "SIGQUIT")]).await;
    worker.run(LONG).await;
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.exit_code().await, Some(0));
    worker.runs_elsewhere().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hangup_begins_anew_in_the_same_process() {
    let mut worker = Worker::start(&[]).await;
    worker.run(1_500).await;
    worker.signal(Signal::SIGHUP);
    let ready = || {
        let output = worker.process.output();
        output.matches("worker ready").count()
    };
    wait_until(PATIENCE, async || ready() == 2).await;
    assert_eq!(
        worker.journal().finished(),
        1,
        "what ran was finished first"
    );

    worker
        .fleet
        .client(&["later", worker.path().to_str().unwrap(), "7", "0"]);
    wait_until(PATIENCE, async || worker.journal().finished() == 2).await;
    let pids: Vec<_> = worker
        .journal()
        .0
        .values()
        .flatten()
        .map(|run| run.pid)
        .collect();
    assert_eq!(pids, [worker.process.pid(); 2]);
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_after_a_hangup_is_an_end() {
    let mut worker = Worker::start(&[]).await;
    worker.run(LONG).await;
    worker.signal(Signal::SIGHUP);
    worker.says("beginning anew").await;
    worker.signal(Signal::SIGQUIT);
    assert_eq!(worker.exit_code().await, Some(0));
    assert_eq!(worker.process.output().matches("worker ready").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn usr1_reports_what_every_task_does() {
    let mut worker = Worker::start(&[]).await;
    worker.run(LONG).await;
    worker.signal(Signal::SIGUSR1);
    worker.says("report of what every task is doing").await;
    let line = worker
        .process
        .wait_for_line(|line| line.contains("task runs"), PATIENCE)
        .await;
    for part in ["drill-0", "drill.record", "age="] {
        assert!(line.contains(part), "no {part} in {line:?}");
    }
    worker.signal(Signal::SIGQUIT);
    assert_eq!(worker.exit_code().await, Some(0));
}

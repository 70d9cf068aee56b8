//! `control`: how soon a worker answers when it is idle and when it is busy, and what telling of events costs it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::drain;
use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Setup, Store};
use crate::size::Size;
use crate::stats::{percentile, sorted};
use crate::trial::Trial;

/// Our worker's slots.
const SLOTS: usize = 100;
/// Who listens to the events.
const LISTENERS: usize = 2;
/// Pause between two questions.
const GAP: Duration = Duration::from_millis(10);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One worker that is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ControlRun {
    /// From asking (`ping`) to the answer, in milliseconds.
    pub(crate) idle_p50_ms: f64,
    pub(crate) idle_p99_ms: f64,
    /// The same while it empties a queue.
    pub(crate) busy_p50_ms: f64,
    pub(crate) busy_p99_ms: f64,
    /// Tasks a second without events, and with events and two listeners.
    pub(crate) quiet_per_s: f64,
    pub(crate) telling_per_s: f64,
    /// Events that each of them heard for a task.
    pub(crate) heard_per_task: f64,
}

/// Measures ours on Redis.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<ControlRun>> {
    let ours = Setup::celeriac(Store::Redis).with_concurrency(SLOTS);
    let once = async |trial: &Trial<'_>| once(lab, trial, size).await;
    lab.repeat("control", size.chosen([ours]), size.reps, once)
        .await
}

async fn once(lab: &Lab, trial: &Trial<'_>, size: &Size) -> anyhow::Result<ControlRun> {
    trial.fill(size.tasks).await?;
    let quiet_per_s = drain::rate(trial, size.tasks, size.tasks).await?.per_s;
    let (idle, busy) = answers(trial, size).await?;
    let telling = Trial::open(lab, trial.setup.with_events()).await?;
    let (telling_per_s, heard_per_task) = told(&telling, size.tasks).await?;
    telling.close().await;
    Ok(ControlRun {
        idle_p50_ms: percentile(&idle, 50),
        idle_p99_ms: percentile(&idle, 99),
        busy_p50_ms: percentile(&busy, 50),
        busy_p99_ms: percentile(&busy, 99),
        quiet_per_s,
        telling_per_s,
        heard_per_task,
    })
}

/// How long the answers of an idle worker take, and those of a busy one.
async fn answers(trial: &Trial<'_>, size: &Size) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let worker = trial.start_worker()?;
    trial.send_stamps(1, Duration::ZERO).await?;
    trial.stamps.wait_for(1, PATIENCE).await?;
    let anybody = trial.client().control().inspect().ping().await?;
    let node = anybody.into_keys().next().context("nobody answers")?;
    let mut idle = Vec::new();
    while idle.len() < size.samples {
        idle.push(ask(trial, &node).await?);
    }
    trial.fill(size.tasks).await?;
    let mut busy = Vec::new();
    while trial.ready().await? > 0 {
        busy.push(ask(trial, &node).await?);
    }
    worker.stop()?;
    ensure!(!busy.is_empty(), "the queue was empty at once");
    Ok((sorted(idle), sorted(busy)))
}

async fn ask(trial: &Trial<'_>, node: &str) -> anyhow::Result<f64> {
    sleep(GAP).await;
    let inspect = trial.client().control().inspect();
    let inspect = inspect.destination(vec![node.to_owned()]).timeout(PATIENCE);
    let begin = Instant::now();
    let answers = inspect.ping().await?;
    ensure!(answers.len() == 1, "the worker does not answer");
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

/// Tasks a second, and events that each listener heard for a task.
async fn told(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<(f64, f64)> {
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        listeners.push(listen(trial).await?);
    }
    trial.fill(tasks).await?;
    let rate = drain::rate(trial, tasks, tasks).await?;
    let mut heard = 0;
    for listener in listeners {
        heard += listener.await?;
    }
    Ok((rate.per_s, heard as f64 / (LISTENERS * tasks) as f64))
}

/// Counts the events of tasks until none has come for a while.
async fn listen(trial: &Trial<'_>) -> anyhow::Result<JoinHandle<usize>> {
    let mut events = trial.client().events("task.#").await?;
    Ok(tokio::spawn(async move {
        let mut heard = 0;
        while let Ok(Some(_)) = tokio::time::timeout(PATIENCE, events.next()).await {
            heard += 1;
        }
        heard
    }))
}

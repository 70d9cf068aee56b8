//! `memory`: what a worker with events and remote control holds when idle, and after it has worked.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::drain;
use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Engine, Setup};
use crate::size::Size;
use crate::trial::Trial;
use crate::worker_process::WorkerProcess;

/// From the first task to the look at the memory.
const REST: Duration = Duration::from_secs(2);
/// How long a worker may take from its start to its first task.
const FIRST: Duration = Duration::from_secs(60);

/// One worker; proportional set size of its processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MemoryRun {
    /// 2 s after its first task.
    pub(crate) idle_mib: f64,
    /// 2 s after it has drained a queue.
    pub(crate) drained_mib: f64,
    /// How many tasks that queue had.
    pub(crate) tasks: usize,
    /// How many processes it is.
    pub(crate) processes: usize,
}

/// Measures ours on every store, and Celery.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<MemoryRun>> {
    let setups = size.chosen(Setup::usual().map(Setup::with_events));
    let once = async |trial: &Trial<'_>| once(trial, size).await;
    lab.repeat("memory", setups, size.reps, once).await
}

/// MiB of an idle worker.
pub(crate) async fn idle(trial: &Trial<'_>) -> anyhow::Result<f64> {
    let worker = rested(trial).await?;
    let idle_mib = worker.memory().pss_mib;
    worker.stop()?;
    Ok(idle_mib)
}

/// A worker that has run its first task a while ago.
async fn rested(trial: &Trial<'_>) -> anyhow::Result<WorkerProcess> {
    let worker = trial.start_worker()?;
    trial.send_stamps(1, Duration::ZERO).await?;
    trial.stamps.wait_for(1, FIRST).await?;
    sleep(REST).await;
    Ok(worker)
}

async fn once(trial: &Trial<'_>, size: &Size) -> anyhow::Result<MemoryRun> {
    let worker = rested(trial).await?;
    let idle = worker.memory();
    let tasks = if trial.setup.engine == Engine::Celery {
        size.celery_tasks
    } else {
        size.tasks
    };
    let ids = trial.fill(tasks).await?;
    drain::wait_for_results(trial, &ids).await?;
    sleep(REST).await;
    let drained_mib = worker.memory().pss_mib;
    worker.stop()?;
    Ok(MemoryRun {
        idle_mib: idle.pss_mib,
        drained_mib,
        tasks,
        processes: idle.processes,
    })
}

//! `latency`: from before the publish call to the task's first statement, with an idle worker.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::lab::Lab;
use crate::row::Row;
use crate::setup::Setup;
use crate::size::Size;
use crate::stats::{percentile, sorted};
use crate::trial::Trial;

/// Pause after every task.
const GAP: Duration = Duration::from_millis(20);
/// Tasks that are sent before, with longer pauses, and not counted.
const WARM_UP: usize = 3;
/// Their pause.
const WARM_UP_GAP: Duration = Duration::from_millis(200);
/// How long the worker is left alone before.
const REST: Duration = Duration::from_secs(1);
/// How long a worker may take from its start to its first task.
const FIRST: Duration = Duration::from_secs(60);
/// How long the last task may take.
const LAST: Duration = Duration::from_secs(10);

/// One series of tasks; times in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LatencyRun {
    /// How many tasks.
    pub(crate) tasks: usize,
    /// Half of them were faster.
    pub p50_ms: f64,
    /// 95 of 100 were faster.
    pub p95_ms: f64,
    /// 99 of 100 were faster.
    pub p99_ms: f64,
    /// The slowest.
    pub(crate) max_ms: f64,
}

/// Measures ours on every store, and Celery.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<LatencyRun>> {
    let setups = size.chosen(Setup::usual());
    let once = async |trial: &Trial<'_>| once(trial, size.samples).await;
    lab.repeat("latency", setups, size.reps, once).await
}

pub(crate) async fn once(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<LatencyRun> {
    let worker = trial.start_worker()?;
    trial.send_stamps(1, Duration::ZERO).await?;
    trial.stamps.wait_for(1, FIRST).await?;
    sleep(REST).await;
    trial.send_stamps(WARM_UP, WARM_UP_GAP).await?;
    trial.stamps.wait_for(1 + WARM_UP, LAST).await?;
    trial.stamps.clear()?;
    trial.send_stamps(tasks, GAP).await?;
    let stamps = trial.stamps.wait_for(tasks, LAST).await?;
    worker.stop()?;
    let late = sorted(
        stamps
            .iter()
            .map(|stamp| (stamp.started - stamp.sent) * 1e3),
    );
    let at = |percent| percentile(&late, percent);
    Ok(LatencyRun {
        tasks,
        p50_ms: at(50),
        p95_ms: at(95),
        p99_ms: at(99),
        max_ms: at(100),
    })
}

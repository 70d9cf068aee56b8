//! `depth`: whether a long queue is emptied as fast as a short one, and what a queued task takes of the server's memory.

mod rounds;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::drain;
use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Engine, Setup, Store};
use crate::size::Size;
use crate::trial::{QUEUE, Trial};

/// Our worker's slots.
const SLOTS: usize = 100;
/// A shorter queue is emptied before one can look at it twice: it is filled and emptied again and again.
const SHORT: usize = 10_000;
/// Tasks that Celery's client publishes for the memory of one: as many as one of our queues has.
const CELERYS: usize = 10_000;

/// One queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DepthRun {
    /// How many tasks were queued.
    pub(crate) depth: usize,
    /// Tasks a second, from the first 2 % of those that are watched to the last of them.
    pub(crate) per_s: Option<f64>,
    /// CPU time of the Redis server per task, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Memory of the Redis server for each queued task.
    pub(crate) bytes: f64,
}

/// Queues of several depths, with results; Celery's messages only for their memory.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<DepthRun>> {
    let ours = Setup::celeriac(Store::Redis).with_concurrency(SLOTS);
    let depths = size.depths.iter();
    let cases =
        depths.flat_map(|depth| size.chosen([ours]).into_iter().map(|setup| (setup, *depth)));
    let once = async |trial: &Trial<'_>, depth: &usize| ours_once(trial, *depth, size.tasks).await;
    let mut rows = lab.in_turn("depth", cases, size.reps, once).await;
    let once = async |trial: &Trial<'_>| celery_once(trial);
    rows.extend(
        lab.repeat("depth", size.chosen([Setup::celery()]), 1, once)
            .await,
    );
    rows
}

async fn ours_once(trial: &Trial<'_>, depth: usize, watched: usize) -> anyhow::Result<DepthRun> {
    trial.fill(depth).await?;
    let bytes = memory_of_queue(trial)? / depth as f64;
    let (per_s, server_cpu_us) = if depth < SHORT {
        (rounds::per_s(trial, depth).await?, None)
    } else {
        let rate = drain::rate(trial, depth, watched.min(depth)).await?;
        (rate.per_s, rate.server_cpu_us)
    };
    Ok(DepthRun {
        depth,
        per_s: Some(per_s),
        server_cpu_us,
        bytes,
    })
}

fn celery_once(trial: &Trial<'_>) -> anyhow::Result<DepthRun> {
    debug_assert_eq!(trial.setup.engine, Engine::Celery);
    trial.celery_script("bench_publish.py", &[CELERYS.to_string()])?;
    Ok(DepthRun {
        depth: CELERYS,
        per_s: None,
        server_cpu_us: None,
        bytes: memory_of_queue(trial)? / CELERYS as f64,
    })
}

/// Bytes of the queue with all its messages and what the server spends on keeping them, counted message by message:
/// the server's memory as a whole also has the buffers of whoever published.
fn memory_of_queue(trial: &Trial<'_>) -> anyhow::Result<f64> {
    let bytes = trial
        .lab()
        .redis()
        .cli(&["MEMORY", "USAGE", QUEUE, "SAMPLES", "0"]);
    let bytes = bytes.trim();
    let told = format!("the server does not tell the memory of the queue: {bytes:?}");
    bytes.parse().context(told)
}

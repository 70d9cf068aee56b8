//! `eta`: very many tasks that wait for their time: what they take of the worker's memory, and how late they start.

use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use worker::SendTask as _;

use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Setup, Store};
use crate::size::Size;
use crate::stamps;
use crate::stats::{percentile, sorted};
use crate::tasks::Stamp;
use crate::trial::Trial;

/// Our worker's slots.
const SLOTS: usize = 100;
/// How many are due in a second.
const DUE_PER_S: f64 = 5_000.0;
/// From the start of publishing to the first that is due, besides what the publishing takes.
const LEAD_S: f64 = 10.0;
/// Tasks that are published in a second, at the least.
const PUBLISHED_PER_S: f64 = 20_000.0;
/// How many of them are watched.
const WATCHED: usize = 100_000;
/// Before the first is due, the worker's memory is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long a worker may take from its start to its first task.
const FIRST: Duration = Duration::from_secs(60);
/// How long after the last was due all must have started.
const LAST: Duration = Duration::from_secs(60);

/// One worker with tasks that wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EtaRun {
    /// How many tasks waited; the first of them were watched.
    pub(crate) tasks: usize,
    /// Memory of the worker before it had them, and with them.
    pub(crate) idle_mib: f64,
    pub(crate) waiting_mib: f64,
    /// How long after their time they started, in milliseconds.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// Measures ours on every store.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<EtaRun>> {
    let ours =
        [Store::Redis, Store::Sqlite].map(|store| Setup::celeriac(store).with_concurrency(SLOTS));
    let numbers = size.eta_tasks.iter();
    let cases =
        numbers.flat_map(|tasks| size.chosen(ours).into_iter().map(|setup| (setup, *tasks)));
    let once = async |trial: &Trial<'_>, tasks: &usize| once(trial, *tasks).await;
    lab.in_turn("eta", cases, size.reps, once).await
}

async fn once(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<EtaRun> {
    let worker = trial.start_worker()?;
    trial.send_stamps(1, Duration::ZERO).await?;
    trial.stamps.wait_for(1, FIRST).await?;
    sleep(LOOK).await;
    let idle_mib = worker.memory().pss_mib;
    trial.stamps.clear()?;
    let first = stamps::now() + LEAD_S + tasks as f64 / PUBLISHED_PER_S;
    publish(trial, tasks, first).await?;
    let left = first - LOOK.as_secs_f64() - stamps::now();
    let left = Duration::try_from_secs_f64(left).context("publishing took too long")?;
    sleep(left).await;
    let waiting_mib = worker.memory().pss_mib;
    let watched = tasks.min(WATCHED);
    let due = Duration::from_secs_f64(watched as f64 / DUE_PER_S);
    let mut stamps = trial.stamps.wait_for(watched, LOOK + due + LAST).await?;
    worker.kill();
    stamps.truncate(watched);
    let late = sorted(
        stamps
            .iter()
            .map(|stamp| (stamp.started - stamp.sent) * 1e3),
    );
    Ok(EtaRun {
        tasks,
        idle_mib,
        waiting_mib,
        p50_ms: percentile(&late, 50),
        p99_ms: percentile(&late, 99),
        max_ms: percentile(&late, 100),
    })
}

/// Publishes stamps; what they note as sent is when they are due.
async fn publish(trial: &Trial<'_>, tasks: usize, first: f64) -> anyhow::Result<()> {
    let due = |number: usize| first + number as f64 / DUE_PER_S;
    let call = |number: usize| {
        let sent = due(number);
        let eta = Timestamp::from_microsecond((sent * 1e6) as i64)?;
        Ok(trial.client().call(Stamp { sent }).eta(eta).build()?)
    };
    for begin in (0..tasks).step_by(1_000) {
        let numbers = begin..tasks.min(begin + 1_000);
        let calls = numbers.map(call).collect::<anyhow::Result<Vec<_>>>()?;
        trial.client().send_all(calls).await?;
    }
    Ok(())
}

//! `spin`: tasks that compute. What the cores could do alone is the ideal; the rest is what the queue costs.

use std::hint::black_box;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use worker::SendTask as _;

use crate::drain;
use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Setup, Store};
use crate::size::Size;
use crate::tasks::{Spin, spin};
use crate::trial::Trial;

/// How long one task computes, about.
const MILLISECONDS: f64 = 5.0;
/// Steps that are timed to find out how many one task has, and how often: the fastest counts, for others were disturbed.
const TRIAL_STEPS: u64 = 1_000_000;
const TRIALS: usize = 50;

/// One queue of computing tasks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SpinRun {
    /// How many tasks.
    pub(crate) tasks: usize,
    /// How long one takes when nothing else runs, in milliseconds.
    pub(crate) alone_ms: f64,
    /// Tasks a second that the cores could run if nothing else was to be done.
    pub(crate) ideal_per_s: f64,
    /// Tasks a second.
    pub(crate) per_s: f64,
}

/// Measures ours on every store with as many slots as there are cores, and with one slot.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<SpinRun>> {
    let [redis, sqlite] = [Store::Redis, Store::Sqlite].map(Setup::celeriac);
    let setups = size.chosen([redis.with_concurrency(1), redis, sqlite]);
    let once = async |trial: &Trial<'_>| once(trial, size.samples * 4).await;
    lab.repeat("spin", setups, size.reps, once).await
}

async fn once(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<SpinRun> {
    let steps = (TRIAL_STEPS as f64 * MILLISECONDS / fastest_ms(TRIAL_STEPS)) as u64;
    let alone_ms = fastest_ms(steps);
    let call = || trial.client().call(Spin { steps });
    trial.fill_with(tasks, call).await?;
    let rate = drain::rate(trial, tasks, tasks).await?;
    Ok(SpinRun {
        tasks,
        alone_ms,
        ideal_per_s: trial.setup.concurrency as f64 * 1e3 / alone_ms,
        per_s: rate.per_s,
    })
}

fn fastest_ms(steps: u64) -> f64 {
    (0..TRIALS).map(|_| time_ms(steps)).fold(f64::MAX, f64::min)
}

fn time_ms(steps: u64) -> f64 {
    let begin = Instant::now();
    black_box(spin(steps));
    begin.elapsed().as_secs_f64() * 1e3
}

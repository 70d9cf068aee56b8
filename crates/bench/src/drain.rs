//! `drain`: how fast a worker empties a queue of tasks that do nothing.

pub(crate) mod progress;

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::lab::Lab;
use crate::limit::Limit;
use crate::row::Row;
use crate::setup::{Engine, Setup, Store};
use crate::size::Size;
use crate::trial::Trial;
use crate::worker_process::WorkerProcess;
use progress::{Progress, successes};

/// Time between two looks at the store.
const LOOK: Duration = Duration::from_millis(5);
/// A look that takes long is repeated after this many times as long, so that looking takes little of the machine.
const LOOK_SHARE: u32 = 20;
/// The part of the tasks that is done before the clock starts.
pub(crate) const LEAD: f64 = 0.02;
/// The part of the tasks that may be missing when the clock stops: housekeeping keys are counted with the results.
const SLACK: f64 = 0.0005;
/// How long nothing may move.
const STALL: Duration = Duration::from_secs(30);

/// One drain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DrainRun {
    /// How many tasks were queued.
    pub(crate) tasks: usize,
    /// Tasks per second, from 2 % done to all done.
    pub(crate) per_s: f64,
    /// Messages per second published by our client in batches of 1,000, before the worker started.
    pub(crate) published_per_s: f64,
    /// CPU time of the worker's processes per task, in microseconds.
    pub(crate) worker_cpu_us: f64,
    /// CPU time of the Redis server per task, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Memory of the worker's processes at the end.
    pub(crate) pss_mib: f64,
    /// What the server allowed immediately before; for our workers on Redis.
    #[serde(default)]
    pub(crate) limit: Option<Limit>,
}

impl DrainRun {
    /// The part of the limit that was reached.
    pub(crate) fn of_limit(&self) -> Option<f64> {
        Some(self.per_s / self.limit?.per_s)
    }
}

/// Drains on every store, with and without results, with default settings and with more slots; on Redis with an append-only
/// file too.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<DrainRun>> {
    let setups =
        [true, false].map(|results| setups(size).map(move |setup| setup.with_results(results)));
    let aof = more(Setup::celeriac(Store::Redis), size).map(Setup::with_aof);
    let setups = size.chosen(setups.into_iter().flatten().chain(aof));
    let once = async |trial: &Trial<'_>| once(trial, size).await;
    lab.repeat("drain", setups, size.reps, once).await
}

/// With default settings and with more slots on every store; Celery last.
fn setups(size: &Size) -> impl Iterator<Item = Setup> {
    let ours = [Store::Redis, Store::Sqlite]
        .map(Setup::celeriac)
        .into_iter();
    ours.flat_map(move |setup| std::iter::once(setup).chain(more(setup, size)))
        .chain([Setup::celery()])
}

fn more(setup: Setup, size: &Size) -> impl Iterator<Item = Setup> {
    size.concurrency
        .iter()
        .map(move |slots| setup.with_concurrency(*slots))
}

pub(crate) async fn once(trial: &Trial<'_>, size: &Size) -> anyhow::Result<DrainRun> {
    let tasks = if trial.setup.engine == Engine::Celery {
        size.celery_tasks
    } else {
        size.tasks
    };
    let limit = limit(trial, tasks)?;
    let filling = Instant::now();
    let ids = trial.fill(tasks).await?;
    let published_per_s = tasks as f64 / filling.elapsed().as_secs_f64();
    let (rate, mut watch) = watch(trial, tasks, tasks).await?;
    let pss_mib = watch.worker.memory().pss_mib;
    watch.all_done(&ids).await?;
    watch.worker.stop()?;
    Ok(DrainRun {
        tasks,
        per_s: rate.per_s,
        published_per_s,
        worker_cpu_us: rate.worker_cpu_us,
        server_cpu_us: rate.server_cpu_us,
        pss_mib,
        limit,
    })
}

/// How fast a worker was, and what each task cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Tasks per second.
    pub(crate) per_s: f64,
    /// CPU time of the worker's processes per task, in microseconds.
    pub(crate) worker_cpu_us: f64,
    /// CPU time of the Redis server per task, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
}

/// Starts a worker on a queue of `queued` tasks and stops it when it has done the first `watched` of them.
pub(crate) async fn rate(trial: &Trial<'_>, queued: usize, watched: usize) -> anyhow::Result<Rate> {
    let (rate, watch) = watch(trial, queued, watched).await?;
    watch.worker.stop()?;
    Ok(rate)
}

/// Has a worker empty a queue from its start to its end, so that what it counts itself can be read.
pub(crate) async fn whole(
    trial: &Trial<'_>,
    tasks: usize,
    start: impl FnOnce() -> anyhow::Result<WorkerProcess>,
) -> anyhow::Result<()> {
    let ids = trial.fill(tasks).await?;
    let worker = start()?;
    wait_for_results(trial, &ids).await?;
    worker.stop()
}

async fn watch<'a>(
    trial: &'a Trial<'a>,
    queued: usize,
    watched: usize,
) -> anyhow::Result<(Rate, Watch<'a>)> {
    let mut watch = Watch {
        progress: Progress::new(trial, queued).await?,
        trial,
        worker: trial.start_worker()?,
    };
    let begin = watch.until(share(watched, LEAD)).await?;
    let end = watch
        .until(watched as f64 - share(watched, SLACK).max(4.0))
        .await?;
    ensure!(
        end.done > begin.done,
        "{watched} tasks are too few: they were done between two looks"
    );
    let done = (end.done - begin.done) as f64;
    let per_task = |used: Duration| used.as_secs_f64() * 1e6 / done;
    let server_cpu = end.server_cpu.zip(begin.server_cpu);
    let rate = Rate {
        per_s: done / (end.at - begin.at).as_secs_f64(),
        worker_cpu_us: per_task(end.worker_cpu.saturating_sub(begin.worker_cpu)),
        server_cpu_us: server_cpu.map(|(end, begin)| per_task(end.saturating_sub(begin))),
    };
    Ok((rate, watch))
}

fn limit(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<Option<Limit>> {
    let Setup {
        engine,
        store,
        results,
        ..
    } = trial.setup;
    let measured = engine == Engine::Celeriac && store == Store::Redis;
    measured
        .then(|| Limit::measure(trial.lab().redis(), tasks, results))
        .transpose()
}

fn share(tasks: usize, part: f64) -> f64 {
    tasks as f64 * part
}

/// A drain under way.
struct Watch<'a> {
    progress: Progress,
    trial: &'a Trial<'a>,
    worker: WorkerProcess,
}

/// How far a drain was at one time, and what it had cost.
struct Sample {
    at: Instant,
    done: u64,
    worker_cpu: Duration,
    server_cpu: Option<Duration>,
}

impl Watch<'_> {
    /// Looks until this many tasks are done.
    async fn until(&mut self, target: f64) -> anyhow::Result<Sample> {
        let (mut moved, mut before) = (Instant::now(), 0);
        loop {
            let look = Instant::now();
            let done = self.progress.done(self.trial).await?;
            if done as f64 >= target {
                return self.sample(done).await;
            }
            self.worker.check()?;
            if done != before {
                (moved, before) = (look, done);
            } else if moved.elapsed() > STALL {
                bail!("nothing moved for {STALL:?} after {done} tasks");
            }
            sleep(LOOK.max(look.elapsed() * LOOK_SHARE)).await;
        }
    }

    async fn sample(&mut self, done: u64) -> anyhow::Result<Sample> {
        let at = Instant::now();
        let server_cpu = self.progress.server_cpu().await?;
        Ok(Sample {
            at,
            done,
            worker_cpu: self.worker.cpu(),
            server_cpu,
        })
    }

    /// Makes sure that the figure is of work that was done: every result is a SUCCESS, or nothing is left.
    async fn all_done(&mut self, ids: &[String]) -> anyhow::Result<()> {
        if self.trial.setup.results {
            return wait_for_results(self.trial, ids).await;
        }
        self.until(ids.len() as f64).await.map(drop)
    }
}

/// Waits until each of these tasks has a SUCCESS stored.
pub(crate) async fn wait_for_results(trial: &Trial<'_>, ids: &[String]) -> anyhow::Result<()> {
    let (mut moved, mut before) = (Instant::now(), 0);
    while before < ids.len() {
        let found = successes(trial, &ids[before..]).await?;
        if found > 0 {
            (moved, before) = (Instant::now(), before + found);
            continue;
        }
        ensure!(
            moved.elapsed() < STALL,
            "no result came for {STALL:?}: {before} of {}",
            ids.len()
        );
        sleep(LOOK).await;
    }
    Ok(())
}

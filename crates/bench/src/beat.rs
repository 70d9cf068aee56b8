//! `beat`: how soon a scheduler with very many entries leads, how many tasks it sends a second, what memory it holds, and how soon
//! another one follows when it is killed.
//!
//! Beside ours runs django-celery-beat's scheduler, as large as it is used.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use beat::StoredSchedule;
use jiff::{SignedDuration, Timestamp};
use protocol::Value;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Engine, Setup, Store};
use crate::size::Size;
use crate::trial::Trial;
use crate::worker_process::WorkerProcess;

/// How long a scheduler may take to lead, and to send its first task.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(20);
/// From the start of a scheduler to the first slot, besides what its entries take.
const HEAD_START: f64 = 20.0;
/// Entries that are written and read in a second, at the least.
const ENTRIES_PER_S: f64 = 15_000.0;

/// How large a schedule is, and how often each entry runs.
#[derive(Clone, Copy, Debug)]
struct Load {
    entries: usize,
    /// Seconds.
    every: usize,
}

/// One scheduler.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BeatRun {
    /// How many entries.
    pub(crate) entries: usize,
    /// From `exec` to leading, all entries being new.
    pub(crate) first_start_s: f64,
    /// The same when they were known before.
    pub(crate) start_s: Option<f64>,
    /// How many are due in a second.
    pub(crate) due_per_s: f64,
    /// How many were sent in a second.
    pub(crate) per_s: f64,
    /// CPU time of the scheduler for each, in microseconds.
    pub(crate) cpu_us: f64,
    /// Memory before the first slot, and at the end.
    pub(crate) start_mib: f64,
    pub(crate) end_mib: f64,
    /// From the leader's death to the first task that another one sends.
    #[serde(default)]
    pub(crate) failover_s: Option<f64>,
}

/// Ours with a large and a small schedule, and django-celery-beat's with the small one.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<BeatRun>> {
    let large = Load {
        entries: size.entries,
        every: size.entries.div_ceil(size.celery_entries).max(1),
    };
    let small = Load {
        entries: size.celery_entries,
        every: 1,
    };
    let ours = Setup::celeriac(Store::Redis);
    let cases = [(ours, large), (ours, small), (Setup::celery(), small)].into_iter();
    let cases = cases.filter(|(setup, _)| size.is_chosen(setup));
    let once = async |trial: &Trial<'_>, load: &Load| match trial.setup.engine {
        Engine::Celeriac => ours_once(trial, *load, size).await,
        Engine::Celery => celery_once(trial, *load, size).await,
    };
    lab.in_turn("beat", cases, size.reps, once).await
}

async fn ours_once(trial: &Trial<'_>, load: Load, size: &Size) -> anyhow::Result<BeatRun> {
    let first = first_slot(load);
    write_entries(trial, load, first).await?;
    let (beat, first_start_s) = lead(trial).await?;
    beat.stop()?;
    let (beat, start_s) = lead(trial).await?;
    ensure!(
        Timestamp::now() < first,
        "the scheduler leads only after its first slot"
    );
    let start_mib = beat.memory().pss_mib;
    // A second of grace, so that a schedule whose entries are all due at once is in its stride.
    wait_until(first + SignedDuration::from_secs(1)).await;
    let (per_s, cpu_us) = rate(trial, &beat, size).await?;
    let end_mib = beat.memory().pss_mib;
    let run = BeatRun {
        entries: load.entries,
        first_start_s,
        start_s: Some(start_s),
        due_per_s: load.entries as f64 / load.every as f64,
        per_s,
        cpu_us,
        start_mib,
        end_mib,
        failover_s: Some(failover(trial, beat).await?),
    };
    Ok(run)
}

/// Kills the leader beside another one; how long nothing was sent.
async fn failover(trial: &Trial<'_>, leader: WorkerProcess) -> anyhow::Result<f64> {
    let mut standby = trial.start_standby().await?;
    leader.kill();
    let (death, before) = (Instant::now(), queued(trial).await?);
    while queued(trial).await? == before {
        standby.check()?;
        ensure!(death.elapsed() < PATIENCE, "nobody followed");
        sleep(LOOK).await;
    }
    let failover = death.elapsed().as_secs_f64();
    standby.stop()?;
    Ok(failover)
}

/// Late enough for the entries to be written, and read twice.
fn first_slot(load: Load) -> Timestamp {
    let seconds = HEAD_START + 3.0 * load.entries as f64 / ENTRIES_PER_S;
    Timestamp::now() + SignedDuration::from_secs(seconds as i64)
}

/// Intervals whose grids are spread evenly, so that in each second as many are due.
async fn write_entries(trial: &Trial<'_>, load: Load, first: Timestamp) -> anyhow::Result<()> {
    let step =
        SignedDuration::from_secs(1) * i32::try_from(load.every)? / i32::try_from(load.entries)?;
    let entries = (0..load.entries).map(|number| {
        let start = first + step * i32::try_from(number).unwrap_or(i32::MAX);
        let entry = serde_json::json!({
            "task": "bench.noop",
            "schedule": load.every,
            "policy": {"start_time": start.to_string()},
        });
        let entry: Value = serde_json::from_value(entry).unwrap_or_default();
        (format!("entry {number}"), entry)
    });
    let stored = StoredSchedule::new(trial.backends.coordinator.clone(), "UTC");
    Ok(stored.put_all(entries).await?)
}

/// Starts ours and waits until it leads; how long that took.
async fn lead(trial: &Trial<'_>) -> anyhow::Result<(WorkerProcess, f64)> {
    let coordinator = &*trial.backends.coordinator;
    let leader = async || {
        beat::heartbeat(coordinator)
            .await
            .map(|beat| beat.map(|beat| beat.name))
    };
    let before = leader().await?;
    let began = Instant::now();
    let mut process = trial.start_beat()?;
    while leader().await? == before {
        process.check()?;
        ensure!(
            began.elapsed() < PATIENCE,
            "the scheduler did not lead within {PATIENCE:?}"
        );
        sleep(LOOK).await;
    }
    Ok((process, began.elapsed().as_secs_f64()))
}

async fn celery_once(trial: &Trial<'_>, load: Load, size: &Size) -> anyhow::Result<BeatRun> {
    let mut command = trial.celery_beat("bench_beat.py")?;
    command.args([load.entries.to_string(), load.every.to_string()]);
    let written = command.output()?;
    ensure!(
        written.status.success(),
        "cannot write the tables: {}",
        String::from_utf8_lossy(&written.stderr)
    );
    let began = Instant::now();
    let mut beat = trial.start_celery_beat()?;
    while queued(trial).await? == 0 {
        beat.check()?;
        ensure!(
            began.elapsed() < PATIENCE,
            "nothing was sent within {PATIENCE:?}"
        );
        sleep(LOOK).await;
    }
    let first_start_s = began.elapsed().as_secs_f64();
    let start_mib = beat.memory().pss_mib;
    let (per_s, cpu_us) = rate(trial, &beat, size).await?;
    let run = BeatRun {
        entries: load.entries,
        first_start_s,
        start_s: None,
        due_per_s: load.entries as f64 / load.every as f64,
        per_s,
        cpu_us,
        start_mib,
        end_mib: beat.memory().pss_mib,
        failover_s: None,
    };
    // At its end it writes all last runs to its tables, which can take minutes and is not measured.
    beat.kill();
    Ok(run)
}

/// Tasks sent in a second, and the scheduler's CPU time for each, over `--seconds`.
async fn rate(trial: &Trial<'_>, beat: &WorkerProcess, size: &Size) -> anyhow::Result<(f64, f64)> {
    let (began, before, cpu) = (Instant::now(), queued(trial).await?, beat.cpu());
    sleep(Duration::from_secs(size.seconds)).await;
    let sent = (queued(trial).await? - before) as f64;
    let used = beat.cpu().saturating_sub(cpu).as_secs_f64();
    ensure!(sent > 0.0, "nothing was sent");
    Ok((sent / began.elapsed().as_secs_f64(), used * 1e6 / sent))
}

/// Nobody takes anything from the queue.
async fn queued(trial: &Trial<'_>) -> anyhow::Result<u64> {
    let depths = trial.backends.admin.depth(&["celery".to_owned()]).await?;
    Ok(depths.first().context("the queue has a depth")?.ready())
}

async fn wait_until(time: Timestamp) {
    let left = time.duration_since(Timestamp::now());
    sleep(left.try_into().unwrap_or_default()).await;
}

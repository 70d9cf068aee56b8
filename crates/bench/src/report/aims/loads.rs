//! Aims for what goes beyond one drain: computing and waiting tasks, long queues, work-flows.

use super::Aim;
use crate::canvas::{self, Flow};
use crate::depth::DepthRun;
use crate::figures::Figures;
use crate::report::format::whole;
use crate::row::Row;
use crate::setup::{Engine, Store};

/// Of what the cores could do alone.
const OF_IDEAL: f64 = 0.95;
/// The slowest of several depths to the fastest.
const SAME: f64 = 0.9;
/// Redis' memory of a queued task to that of one of Celery's.
const MEMORY: f64 = 1.0;
/// Waiting tasks: memory of the worker in millions of bytes, and lateness.
const GROWTH_MB: f64 = 5.0;
const LATE_P99_MS: f64 = 50.0;
/// Work-flows to Celery's of the same size.
const CANVAS: f64 = 30.0;
/// Time for each task of a large work-flow to that of one tenth of its size: linear, but for what the machine disturbs.
const LINEAR: f64 = 1.1;
const LARGE: [(Flow, usize); 2] = [(Flow::Chord, 10_000), (Flow::Chain, 1_000)];
/// Millions of bytes in a MiB.
const MB_PER_MIB: f64 = 1.048_576;

pub(super) fn aims(figures: &Figures) -> Vec<Aim> {
    let mut aims = spin(figures);
    aims.extend(depth(figures));
    aims.extend(eta(figures));
    aims.extend(LARGE.into_iter().flat_map(|large| canvas(figures, large)));
    aims
}

fn spin(figures: &Figures) -> Vec<Aim> {
    let rows = figures.spin.iter();
    let rows = rows.filter(|row| row.setup.store == Store::Redis);
    rows.map(|row| {
        let what = format!(
            "5 ms of computing, {}, of the ideal",
            row.setup.concurrency_text()
        );
        Aim::at_least(
            what,
            OF_IDEAL,
            row.median(|run| run.per_s / run.ideal_per_s),
        )
    })
    .collect()
}

fn depth(figures: &Figures) -> [Aim; 2] {
    let rates = || {
        figures
            .depth
            .iter()
            .filter_map(|row| row.median_of(|run| run.per_s))
    };
    let (slowest, fastest) = (rates().reduce(f64::min), rates().reduce(f64::max));
    let same = slowest
        .zip(fastest)
        .map(|(slowest, fastest)| slowest / fastest);
    let longest = figures
        .depth
        .iter()
        .filter_map(|row| row.runs.first().map(|run| run.figures.depth as f64))
        .reduce(f64::max);
    let what = format!(
        "drain of queues up to {} long, slowest to fastest",
        whole(longest)
    );
    [
        Aim::at_least(what, SAME, same),
        Aim::at_most(
            "Redis' memory for a queued task, to Celery's",
            MEMORY,
            memory(&figures.depth),
        ),
    ]
}

/// The longest queue's bytes count: what does not grow with the queue is shared by most.
fn memory(rows: &[Row<DepthRun>]) -> Option<f64> {
    let bytes = |engine| {
        let row = rows.iter().rfind(|row| row.setup.engine == engine)?;
        row.median(|run| run.bytes)
    };
    Some(bytes(Engine::Celeriac)? / bytes(Engine::Celery)?)
}

fn eta(figures: &Figures) -> Vec<Aim> {
    let rows = figures
        .eta
        .iter()
        .filter(|row| row.setup.store == Store::Redis);
    rows.flat_map(|row| {
        let tasks = whole(row.runs.first().map(|run| run.figures.tasks as f64));
        let growth = row.median(|run| (run.waiting_mib - run.idle_mib) * MB_PER_MIB);
        let late = row.median(|run| run.p99_ms);
        [
            Aim::at_most(
                format!("growth of the worker's memory with {tasks} ETA tasks on Redis"),
                GROWTH_MB,
                growth,
            )
            .unit(" MB", 1),
            Aim::at_most(
                format!("p99 lateness of {tasks} ETA tasks, 5,000 due a second"),
                LATE_P99_MS,
                late,
            )
            .unit(" ms", 1),
        ]
    })
    .collect()
}

fn canvas(figures: &Figures, (flow, tasks): (Flow, usize)) -> [Aim; 2] {
    let per_s = |engine, tasks| canvas::per_s(&figures.canvas, engine, flow, tasks);
    let large = per_s(Engine::Celeriac, tasks);
    let ratio = |of: Option<f64>, to: Option<f64>| Some(of? / to?);
    let size = whole(Some(tasks as f64));
    let name = flow.name();
    [
        Aim::at_least(
            format!("{name} of {size}, to Celery"),
            CANVAS,
            ratio(large, per_s(Engine::Celery, tasks)),
        )
        .unit(" ×", 1),
        Aim::at_most(
            format!("{name} of {size}: time per task to that of one tenth of the size"),
            LINEAR,
            ratio(per_s(Engine::Celeriac, tasks / 10), large),
        ),
    ]
}

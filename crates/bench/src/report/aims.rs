//! The aims of the project beside what was reached; those that were missed say so.

use super::format::{decimals, times, whole};
use super::table::Table;
use crate::beat::BeatRun;
use crate::figures::{Figures, Row};
use crate::setup::{Engine, Store};

/// How many times Celery's drain rate, on Redis with results.
const DRAIN_TIMES: f64 = 40.0;
/// The 99th percentile of the latency.
const LATENCY_P99_MS: f64 = 2.0;
/// Idle memory, in millions of bytes.
const IDLE_MB: f64 = 10.0;
/// From start to first task.
const START_MS: f64 = 50.0;
/// A scheduler with a million entries: start, tasks sent, memory that stays as it is, and failover.
const BEAT_START_S: f64 = 5.0;
const BEAT_PER_S: f64 = 10_000.0;
const BEAT_GROWTH_PERCENT: f64 = 1.0;
const BEAT_FAILOVER_S: f64 = 2.0;
/// The part of a rate that may be missing: its slots begin and end between the looks.
const BEAT_EDGE: f64 = 0.99;
/// Millions of bytes in a MiB.
const MB_PER_MIB: f64 = 1.048_576;

/// Every aim with its figure.
pub(crate) fn table(figures: &Figures) -> Table {
    let mut rows = vec![drain(figures)];
    for store in [Store::Redis, Store::Sqlite] {
        let p99 = ours(&figures.latency, store).and_then(|row| row.median(|run| run.p99_ms));
        rows.push(below(
            format!("latency p99 on {store}"),
            LATENCY_P99_MS,
            "ms",
            p99,
        ));
        let idle = ours(&figures.memory, store)
            .and_then(|row| row.median(|run| run.idle_mib * MB_PER_MIB));
        rows.push(below(
            format!("idle memory on {store}"),
            IDLE_MB,
            "MB",
            idle,
        ));
        let start = ours(&figures.start, store).and_then(|row| row.median(|run| run.ms));
        rows.push(below(
            format!("start to first task on {store}"),
            START_MS,
            "ms",
            start,
        ));
    }
    rows.extend(beat(figures));
    Table {
        title: "Aims",
        header: vec!["what", "aim", "measured", "reached"],
        rows,
    }
}

/// The best of our rows counts: the aim says nothing of the number of slots.
fn drain(figures: &Figures) -> Vec<String> {
    let rows = figures
        .drain
        .iter()
        .filter(|row| row.setup.store == Store::Redis && row.setup.results);
    let ratios = rows.filter_map(|row| row.ratio_to_celery(&figures.drain, |run| run.per_s));
    let best = ratios.reduce(f64::max);
    let what = "drain on Redis with results, to Python Celery, best -c".to_owned();
    let reached = verdict(best.map(|best| best >= DRAIN_TIMES));
    vec![
        what,
        format!("at least {DRAIN_TIMES} ×"),
        times(best),
        reached,
    ]
}

fn beat(figures: &Figures) -> [Vec<String>; 4] {
    let row = ours(&figures.beat, Store::Redis);
    let run = row.and_then(|row| row.runs.first());
    let entries = whole(run.map(|run| run.figures.entries as f64));
    let median = |figure: fn(&BeatRun) -> f64| row.and_then(|row| row.median(figure));
    let per_s = median(|run| run.per_s);
    let reached = verdict(per_s.map(|per_s| per_s >= BEAT_PER_S * BEAT_EDGE));
    let growth = median(|run| (run.end_mib / run.start_mib - 1.0) * 100.0);
    let seconds = |what: &str, aim, figure: fn(&BeatRun) -> Option<f64>| {
        let figure = row.and_then(|row| row.median(|run| figure(run).unwrap_or(f64::INFINITY)));
        below(format!("{what} with {entries} entries"), aim, "s", figure)
    };
    [
        seconds("start of beat", BEAT_START_S, |run| run.start_s),
        vec![
            format!("tasks sent a second by beat with {entries} entries, as many being due"),
            format!("{BEAT_PER_S}"),
            decimals(per_s, 0),
            reached,
        ],
        below(
            format!("growth of the memory of beat with {entries} entries while it sends"),
            BEAT_GROWTH_PERCENT,
            "%",
            growth,
        ),
        seconds("failover of beat", BEAT_FAILOVER_S, |run| run.failover_s),
    ]
}

fn below(what: String, aim: f64, unit: &str, measured: Option<f64>) -> Vec<String> {
    let reached = verdict(measured.map(|measured| measured < aim));
    vec![
        what,
        format!("under {aim} {unit}"),
        decimals(measured, 2),
        reached,
    ]
}

fn verdict(reached: Option<bool>) -> String {
    match reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "not measured",
    }
    .to_owned()
}

fn ours<R>(rows: &[Row<R>], store: Store) -> Option<&Row<R>> {
    rows.iter()
        .find(|row| row.setup.engine == Engine::Celeriac && row.setup.store == store)
}

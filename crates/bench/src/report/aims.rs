//! The aims of the project beside what was reached; those that were missed say so.

use super::format::{decimals, times};
use super::table::Table;
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
/// A scheduler with a million entries: start and tasks sent.
const BEAT_START_S: f64 = 5.0;
const BEAT_PER_S: f64 = 10_000.0;
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

fn beat(figures: &Figures) -> [Vec<String>; 2] {
    let row = ours(&figures.beat, Store::Redis);
    let start = row.and_then(|row| row.median(|run| run.start_s.unwrap_or(f64::INFINITY)));
    let per_s = row.and_then(|row| row.median(|run| run.per_s));
    let reached = verdict(per_s.map(|per_s| per_s >= BEAT_PER_S * BEAT_EDGE));
    [
        below(
            "start of beat with a million entries".to_owned(),
            BEAT_START_S,
            "s",
            start,
        ),
        vec![
            "tasks sent by it a second, as many being due".to_owned(),
            format!("{BEAT_PER_S}"),
            decimals(per_s, 0),
            reached,
        ],
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

//! Aims for rates and times of single tasks: drain, events, publishing, latency, start, memory.

use super::{Aim, ours};
use crate::drain::DrainRun;
use crate::figures::Figures;
use crate::publish::PublishRun;
use crate::row::Row;
use crate::setup::{Engine, Store};

/// Parts of what the raw commands reach (`luav`), with and without results.
const OF_LIMIT: f64 = 0.75;
const OF_LIMIT_WITHOUT: f64 = 0.65;
/// To Python Celery's prefork pool.
const TO_CELERY: f64 = 90.0;
/// To the fastest other queues, with results, by the beginning of their names.
const TO_PEERS: [(&str, f64); 2] = [
    ("BullMQ", 4.0),
    ("apalis 1.0, batch 100, without locks", 1.3),
];
/// Default settings to the best.
const DEFAULT_TO_BEST: f64 = 0.8;
/// With events and two listeners to without.
const WITH_EVENTS: f64 = 0.6;
/// Publishing one by one to `LPUSH`es, and in batches a second.
const OF_RAW: f64 = 0.9;
const BATCH_PER_S: f64 = 200_000.0;
/// From publishing to the start.
const P50_MS: f64 = 0.4;
const P99_MS: f64 = 1.5;
const START_MS: f64 = 20.0;
/// Idle memory, in millions of bytes.
const IDLE_MB: f64 = 8.0;
/// The embedded broker.
const SQLITE_PER_S: f64 = 25_000.0;
const SQLITE_P99_MS: f64 = 5.0;
/// Millions of bytes in a MiB.
const MB_PER_MIB: f64 = 1.048_576;

pub(super) fn aims(figures: &Figures) -> Vec<Aim> {
    let mut aims = limits(figures);
    aims.extend(conditions(figures));
    aims.extend(peers(figures));
    aims.extend(publish(figures));
    aims.extend(single(figures));
    aims.extend(sqlite(figures));
    aims
}

/// The best that a worker does, to what the server allows and to Celery.
fn limits(figures: &Figures) -> Vec<Aim> {
    let rows = |store, results| drains(figures, store, results);
    let of_limit = |results| {
        let parts = rows(Store::Redis, results).filter_map(|row| row.median_of(DrainRun::of_limit));
        parts.reduce(f64::max)
    };
    let to_celery = rows(Store::Redis, true)
        .filter_map(|row| row.ratio_to_celery(&figures.drain, |run| run.per_s))
        .reduce(f64::max);
    let aof = figures.drain.iter().filter(|row| row.setup.aof);
    let aof = aof.filter_map(|row| row.median_of(DrainRun::of_limit));
    vec![
        Aim::at_least(
            "drain on Redis with results, best -c, of the limit",
            OF_LIMIT,
            of_limit(true),
        ),
        Aim::at_least(
            "the same with AOF, of the limit with AOF",
            OF_LIMIT,
            aof.reduce(f64::max),
        ),
        Aim::at_least(
            "the same without AOF, to Python Celery",
            TO_CELERY,
            to_celery,
        )
        .unit(" ×", 1),
        Aim::at_least(
            "drain on Redis without results, best -c, of the limit",
            OF_LIMIT_WITHOUT,
            of_limit(false),
        ),
    ]
}

/// What else is asked of a worker, to its best.
fn conditions(figures: &Figures) -> [Aim; 2] {
    let control = ours(&figures.control, Store::Redis);
    let events = control.and_then(|row| row.median(|run| run.telling_per_s / run.quiet_per_s));
    [
        Aim::at_least(
            "drain on Redis with results: default settings to the best -c",
            DEFAULT_TO_BEST,
            default_to_best(figures),
        ),
        Aim::at_least(
            "drain on Redis with events and two listeners, to without",
            WITH_EVENTS,
            events,
        ),
    ]
}

/// Our rows with or without results on a store, without AOF.
fn drains(figures: &Figures, store: Store, results: bool) -> impl Iterator<Item = &Row<DrainRun>> {
    figures.drain.iter().filter(move |row| {
        let setup = row.setup;
        setup.engine == Engine::Celeriac
            && setup.store == store
            && setup.results == results
            && !setup.aof
    })
}

fn best(figures: &Figures, store: Store) -> Option<f64> {
    let rates = drains(figures, store, true).filter_map(|row| row.median(|run| run.per_s));
    rates.reduce(f64::max)
}

fn default_to_best(figures: &Figures) -> Option<f64> {
    let default = drains(figures, Store::Redis, true).find(|row| row.setup.is_default)?;
    Some(default.median(|run| run.per_s)? / best(figures, Store::Redis)?)
}

/// Those of the same run; not measured where a peer is not installed.
fn peers(figures: &Figures) -> [Aim; 2] {
    let per_s = |begin: &str| {
        let rows = figures
            .peers
            .iter()
            .filter(|row| row.name.starts_with(begin));
        let rates = rows.filter_map(|row| row.median(|run| run.per_s));
        rates.reduce(f64::max)
    };
    TO_PEERS.map(|(peer, least)| {
        let ratio = per_s("Celeriac on Redis").zip(per_s(peer));
        let what = format!("drain on Redis with results, best -c, to {peer}");
        Aim::at_least(what, least, ratio.map(|(ours, theirs)| ours / theirs)).unit(" ×", 1)
    })
}

fn publish(figures: &Figures) -> [Aim; 2] {
    let row = ours(&figures.publish, Store::Redis);
    let raw = row.and_then(|row| row.median_of(PublishRun::of_raw));
    let batch = row.and_then(|row| row.median_of(|run| run.batch_per_s));
    [
        Aim::at_least("publish one by one on Redis, to raw LPUSH", OF_RAW, raw),
        Aim::at_least("publish in batches on Redis", BATCH_PER_S, batch).unit(" /s", 0),
    ]
}

fn single(figures: &Figures) -> [Aim; 4] {
    let latency = ours(&figures.latency, Store::Redis);
    let start = ours(&figures.start, Store::Redis).and_then(|row| row.median(|run| run.ms));
    let memory = ours(&figures.memory, Store::Redis);
    let idle = memory.and_then(|row| row.median(|run| run.idle_mib * MB_PER_MIB));
    [
        Aim::at_most(
            "latency p50 on Redis",
            P50_MS,
            latency.and_then(|row| row.median(|run| run.p50_ms)),
        )
        .unit(" ms", 2),
        Aim::at_most(
            "latency p99 on Redis",
            P99_MS,
            latency.and_then(|row| row.median(|run| run.p99_ms)),
        )
        .unit(" ms", 2),
        Aim::at_most("start to first task on Redis", START_MS, start).unit(" ms", 1),
        Aim::at_most("idle memory on Redis", IDLE_MB, idle).unit(" MB", 1),
    ]
}

fn sqlite(figures: &Figures) -> [Aim; 2] {
    let latency = ours(&figures.latency, Store::Sqlite);
    let p99 = latency.and_then(|row| row.median(|run| run.p99_ms));
    let per_s = best(figures, Store::Sqlite);
    [
        Aim::at_least("drain on SQLite with results, best -c", SQLITE_PER_S, per_s).unit(" /s", 0),
        Aim::at_most("latency p99 on SQLite", SQLITE_P99_MS, p99).unit(" ms", 2),
    ]
}

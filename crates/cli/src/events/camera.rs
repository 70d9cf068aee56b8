//! Snapshots: every so often one JSON line of what workers and tasks do. What Celery's camera classes do with theirs is the
//! business of whoever reads the lines.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use client::EventReceiver;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use super::dump::say;
use super::state::Cluster;

#[derive(Debug, Serialize)]
struct Snapshot<'a> {
    at: Timestamp,
    events: u64,
    totals: &'a BTreeMap<String, u64>,
    /// Tasks that are remembered.
    tasks: usize,
    running: Vec<Running<'a>>,
    workers: Vec<Node<'a>>,
}

#[derive(Debug, Serialize)]
struct Running<'a> {
    id: &'a str,
    name: &'a str,
    worker: &'a str,
    since: f64,
}

#[derive(Debug, Serialize)]
struct Node<'a> {
    node: &'a str,
    alive: bool,
    active: i64,
    processed: i64,
    software: &'a str,
}

/// Writes snapshots until the reader has gone or the broker was closed.
pub(crate) async fn shoot(mut events: EventReceiver, every: Duration) -> io::Result<()> {
    let mut cluster = Cluster::new();
    let mut shutter = interval(every);
    shutter.set_missed_tick_behavior(MissedTickBehavior::Delay);
    shutter.tick().await;
    loop {
        tokio::select! {
            _ = shutter.tick() => say(&line(&cluster, Timestamp::now()))?,
            event = events.next() => match event {
                Some(event) => cluster.apply(&event, seconds(Timestamp::now())),
                None => return Ok(()),
            },
        }
    }
}

/// Epoch seconds.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn line(cluster: &Cluster, at: Timestamp) -> String {
    let now = seconds(at);
    let running = cluster.tasks.iter().filter(|task| task.is_running());
    let running = running.map(|task| Running {
        id: &task.id,
        name: &task.name,
        worker: &task.worker,
        since: task.time,
    });
    let workers = cluster.workers(now).into_iter().map(|worker| Node {
        node: &worker.node,
        alive: worker.is_alive(now),
        active: worker.active,
        processed: worker.processed,
        software: &worker.software,
    });
    let snapshot = Snapshot {
        at,
        events: cluster.events,
        totals: &cluster.totals,
        tasks: cluster.tasks.len(),
        running: running.collect(),
        workers: workers.collect(),
    };
    serde_json::to_string(&snapshot).unwrap_or_else(|error| error.to_string())
}

//! `peers`: other task queues beside ours and beside Celery, all on the same Redis server in the same run: drain, latency, memory.
//!
//! The peers' own programs are in `peers/`; `make bench-peers` installs what they need. It owns no figures of what only we can.

mod catalogue;
mod peer;

use serde::{Deserialize, Serialize};

use crate::cli::Size;
use crate::drain::{self, DrainRun};
use crate::figures::stats::median;
use crate::lab::Lab;
use crate::lab::reference::Reference;
use crate::latency;
use crate::memory;
use crate::setup::{Setup, Store};
use crate::trial::Trial;
use catalogue::PEERS;
use peer::Peer;

/// Our slots, besides the default.
const SLOTS: usize = 100;
/// The row of what the server alone allows.
const LIMIT: &str = "Redis alone: the limit (luav)";

/// One task queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerRow {
    /// Its name, version and settings.
    pub(crate) name: String,
    /// The repetitions.
    pub(crate) runs: Vec<PeerRun>,
    /// Why there are fewer repetitions than asked for.
    pub(crate) note: Option<String>,
}

/// One repetition; a figure that this queue does not have is none.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PeerRun {
    /// Tasks a second with results, and without.
    pub(crate) per_s: Option<f64>,
    pub(crate) without_per_s: Option<f64>,
    /// CPU time of the worker's processes and of the server per task with results, in microseconds.
    pub(crate) worker_cpu_us: Option<f64>,
    pub(crate) server_cpu_us: Option<f64>,
    /// From publishing to the task's first statement, in milliseconds.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// Memory of the worker's processes, idle and after the drain.
    pub(crate) idle_mib: Option<f64>,
    pub(crate) drained_mib: Option<f64>,
    /// How fast the server was immediately before.
    pub(crate) reference: Option<f64>,
}

impl PeerRow {
    /// The median of one figure over the repetitions.
    pub(crate) fn median(&self, figure: impl Fn(&PeerRun) -> Option<f64>) -> Option<f64> {
        median(self.runs.iter().filter_map(figure))
    }
}

/// Measures what the server allows, ours, Celery and every peer that is installed.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<PeerRow> {
    let ours = Setup::celeriac(Store::Redis);
    let wanted = |name: &str| size.only.as_ref().is_none_or(|text| name.contains(text));
    let mut rows = Vec::new();
    for setup in size.chosen([ours.with_concurrency(SLOTS), ours, Setup::celery()]) {
        let (row, limits) = of_setup(lab, setup, size).await;
        if rows.is_empty() && !limits.is_empty() {
            rows.push(limit(limits));
        }
        rows.push(row);
    }
    for peer in PEERS.iter().filter(|peer| wanted(peer.name)) {
        rows.push(of_peer(lab, peer, size).await);
    }
    rows
}

fn limit(runs: Vec<PeerRun>) -> PeerRow {
    PeerRow {
        name: LIMIT.to_owned(),
        runs,
        note: None,
    }
}

/// Ours or Celery, by the measurements of their own; and what the server allowed immediately before each drain.
async fn of_setup(lab: &Lab, setup: Setup, size: &Size) -> (PeerRow, Vec<PeerRun>) {
    let with = lab.repeat(
        "peers, drain",
        setup,
        size.reps,
        async |trial: &Trial<'_>| drain::once(trial, size).await,
    );
    let with = with.await;
    let setup_without = setup.with_results(false);
    let without = lab.repeat(
        "peers, drain",
        setup_without,
        size.reps,
        async |trial: &Trial<'_>| drain::once(trial, size).await,
    );
    let without = without.await;
    let latency = lab.repeat(
        "peers, latency",
        setup,
        size.reps,
        async |trial: &Trial<'_>| latency::once(trial, size.samples).await,
    );
    let latency = latency.await;
    let idle = lab.repeat(
        "peers, memory",
        setup,
        size.reps,
        async |trial: &Trial<'_>| memory::idle(trial).await,
    );
    let idle = idle.await;
    let run = |at: usize| {
        let with = with.runs.get(at);
        let drain = with.map(|run| &run.figures);
        let latency = latency.runs.get(at).map(|run| &run.figures);
        PeerRun {
            per_s: drain.map(|run| run.per_s),
            without_per_s: without.runs.get(at).map(|run| run.figures.per_s),
            worker_cpu_us: drain.map(|run| run.worker_cpu_us),
            server_cpu_us: drain.and_then(|run| run.server_cpu_us),
            p50_ms: latency.map(|run| run.p50_ms),
            p99_ms: latency.map(|run| run.p99_ms),
            idle_mib: idle.runs.get(at).map(|run| run.figures),
            drained_mib: drain.map(|run| run.pss_mib),
            reference: with.map(|run| run.reference.per_s),
        }
    };
    let limit = |at: usize| {
        let allowed = |run: &DrainRun| run.limit;
        let with = with.runs.get(at).and_then(|run| allowed(&run.figures))?;
        let without = without.runs.get(at).and_then(|run| allowed(&run.figures))?;
        Some(PeerRun {
            per_s: Some(with.per_s),
            without_per_s: Some(without.per_s),
            server_cpu_us: Some(with.server_cpu_us),
            ..PeerRun::default()
        })
    };
    let notes = [
        with.note.clone(),
        without.note.clone(),
        latency.note.clone(),
        idle.note.clone(),
    ];
    let row = PeerRow {
        name: setup.to_string(),
        runs: (0..with.runs.len()).map(run).collect(),
        note: notes.into_iter().flatten().next(),
    };
    (row, (0..with.runs.len()).filter_map(limit).collect())
}

/// A peer; a failure ends the row with a note.
async fn of_peer(lab: &Lab, peer: &'static Peer, size: &Size) -> PeerRow {
    let mut row = PeerRow {
        name: peer.name.to_owned(),
        runs: Vec::new(),
        note: peer.missing(),
    };
    while row.runs.len() < size.reps && row.note.is_none() {
        eprintln!(
            "peers: {}, {} of {}",
            peer.name,
            row.runs.len() + 1,
            size.reps
        );
        let reference = Reference::measure(lab.redis());
        match peer
            .measure(lab, size)
            .await
            .and_then(|run| Ok((run, reference?)))
        {
            Ok((run, reference)) => row.runs.push(PeerRun {
                reference: Some(reference.per_s),
                ..run
            }),
            Err(error) => {
                eprintln!("  failed: {error:#}");
                row.note = Some(format!("failed: {error:#}"));
            }
        }
    }
    row
}

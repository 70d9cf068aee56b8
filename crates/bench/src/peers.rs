//! `peers`: other task queues beside ours and beside Celery, all on the same Redis server in the same run: drain, latency, memory.
//!
//! The peers' own programs are in `peers/`; `make bench-peers` installs what they need. It owns no figures of what only we can.

mod catalogue;
mod measured;
mod peer;

use serde::{Deserialize, Serialize};

use crate::lab::Lab;
use crate::reference::Reference;
use crate::setup::{Setup, Store};
use crate::size::Size;
use crate::stats::median;
use catalogue::PEERS;
use measured::Measured;
use peer::Peer;

/// Our slots, besides the default.
const SLOTS: usize = 100;
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
        let measured = Measured::measure(lab, setup, size).await;
        if rows.is_empty() {
            rows.extend(measured.limit());
        }
        rows.push(measured.row());
    }
    for peer in PEERS.iter().filter(|peer| wanted(peer.name)) {
        rows.push(of_peer(lab, peer, size).await);
    }
    rows
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

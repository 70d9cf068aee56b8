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
    fn new(name: String, note: Option<String>) -> Self {
        Self {
            name,
            runs: Vec::new(),
            note,
        }
    }

    /// The median of one figure over the repetitions.
    pub(crate) fn median(&self, figure: impl Fn(&PeerRun) -> Option<f64>) -> Option<f64> {
        median(self.runs.iter().filter_map(figure))
    }
}

/// Who takes part.
enum Entrant {
    /// Ours, or Celery.
    Own(Setup),
    Peer(&'static Peer),
}

impl Entrant {
    fn name(&self) -> String {
        match self {
            Self::Own(setup) => setup.to_string(),
            Self::Peer(peer) => peer.name.to_owned(),
        }
    }

    /// Why there is nothing to measure.
    fn missing(&self, lab: &Lab) -> Option<String> {
        match self {
            Self::Own(setup) => lab.missing(*setup),
            Self::Peer(peer) => peer.missing(),
        }
    }

    /// One repetition, and what the server allowed immediately before where that was measured.
    async fn measure(&self, lab: &Lab, size: &Size) -> anyhow::Result<(PeerRun, Option<PeerRun>)> {
        let peer = match self {
            Self::Own(setup) => return measured::measure(lab, *setup, size).await,
            Self::Peer(peer) => peer,
        };
        let reference = Some(Reference::measure(lab.redis())?.per_s);
        let run = peer.measure(lab, size).await?;
        Ok((PeerRun { reference, ..run }, None))
    }
}

/// Measures what the server allows, ours, Celery and every peer that is installed. They take turns, so that a machine that gets slower
/// does so for all of them. A failure ends a row with a note.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<PeerRow> {
    let mut limit = PeerRow::new(LIMIT.to_owned(), None);
    let mut rows: Vec<(Entrant, PeerRow)> = entrants(size)
        .map(|entrant| {
            let row = PeerRow::new(entrant.name(), entrant.missing(lab));
            (entrant, row)
        })
        .collect();
    for rep in 1..=size.reps {
        for (entrant, row) in rows.iter_mut().filter(|(_, row)| row.note.is_none()) {
            eprintln!("peers: {}, {rep} of {}", row.name, size.reps);
            match entrant.measure(lab, size).await {
                Ok((run, allowed)) => {
                    row.runs.push(run);
                    limit.runs.extend(allowed);
                }
                Err(error) => {
                    eprintln!("  failed: {error:#}");
                    row.note = Some(format!("failed: {error:#}"));
                }
            }
        }
    }
    let limit = (!limit.runs.is_empty()).then_some(limit);
    limit
        .into_iter()
        .chain(rows.into_iter().map(|(_, row)| row))
        .collect()
}

fn entrants(size: &Size) -> impl Iterator<Item = Entrant> {
    let ours = Setup::celeriac(Store::Redis);
    let own = size.chosen([ours.with_concurrency(SLOTS), ours, Setup::celery()]);
    let wanted = |name: &str| size.only.as_ref().is_none_or(|text| name.contains(text));
    let peers = PEERS.iter().filter(move |peer| wanted(peer.name));
    own.into_iter()
        .map(Entrant::Own)
        .chain(peers.map(Entrant::Peer))
}

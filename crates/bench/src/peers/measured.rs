//! Ours and Celery among the peers, by the measurements that they have of their own.

use super::{PeerRow, PeerRun};
use crate::drain::{self, DrainRun};
use crate::lab::Lab;
use crate::latency::{self, LatencyRun};
use crate::memory;
use crate::row::Row;
use crate::setup::Setup;
use crate::size::Size;
use crate::trial::Trial;

/// The row of what the server alone allows.
const LIMIT: &str = "Redis alone: the limit (luav)";

/// What was measured of one setup.
pub(super) struct Measured {
    with: Row<DrainRun>,
    without: Row<DrainRun>,
    latency: Row<LatencyRun>,
    idle: Row<f64>,
}

impl Measured {
    pub(super) async fn measure(lab: &Lab, setup: Setup, size: &Size) -> Self {
        let drain = async |trial: &Trial<'_>| drain::once(trial, size).await;
        let latency = async |trial: &Trial<'_>| latency::once(trial, size.samples).await;
        let reps = size.reps;
        let without = setup.with_results(false);
        let drains = lab.repeat("peers, drain", [setup, without], reps, drain);
        let [with, without] = rows(drains.await);
        let [latency] = rows(lab.repeat("peers, latency", [setup], reps, latency).await);
        let [idle] = rows(
            lab.repeat("peers, memory", [setup], reps, memory::idle)
                .await,
        );
        Self {
            with,
            without,
            latency,
            idle,
        }
    }

    /// Its row; the first failure stands for all.
    pub(super) fn row(&self) -> PeerRow {
        let notes = [
            &self.with.note,
            &self.without.note,
            &self.latency.note,
            &self.idle.note,
        ];
        PeerRow {
            name: self.with.setup.to_string(),
            runs: (0..self.with.runs.len()).map(|at| self.run(at)).collect(),
            note: notes.into_iter().flatten().next().cloned(),
        }
    }

    /// What the server allowed immediately before each drain; none for what has no limit.
    pub(super) fn limit(&self) -> Option<PeerRow> {
        let pairs = self.with.runs.iter().zip(&self.without.runs);
        let runs: Vec<PeerRun> = pairs
            .filter_map(|(with, without)| with.figures.limit.zip(without.figures.limit))
            .map(|(with, without)| PeerRun {
                per_s: Some(with.per_s),
                without_per_s: Some(without.per_s),
                server_cpu_us: Some(with.server_cpu_us),
                ..PeerRun::default()
            })
            .collect();
        (!runs.is_empty()).then(|| PeerRow {
            name: LIMIT.to_owned(),
            runs,
            note: None,
        })
    }

    fn run(&self, at: usize) -> PeerRun {
        let drain = &self.with.runs[at].figures;
        let latency = self.latency.runs.get(at).map(|run| &run.figures);
        let without = self.without.runs.get(at);
        PeerRun {
            per_s: Some(drain.per_s),
            without_per_s: without.map(|run| run.figures.per_s),
            worker_cpu_us: Some(drain.worker_cpu_us),
            server_cpu_us: drain.server_cpu_us,
            p50_ms: latency.map(|run| run.p50_ms),
            p99_ms: latency.map(|run| run.p99_ms),
            idle_mib: self.idle.runs.get(at).map(|run| run.figures),
            drained_mib: Some(drain.pss_mib),
            reference: Some(self.with.runs[at].reference.per_s),
        }
    }
}

fn rows<R, const N: usize>(rows: Vec<Row<R>>) -> [Row<R>; N] {
    let rows = rows.try_into().ok();
    rows.expect("there is a row for each setup")
}

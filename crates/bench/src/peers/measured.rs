//! Ours and Celery among the peers, by the measurements that they have of their own.

use anyhow::anyhow;

use super::PeerRun;
use crate::drain::{self, DrainRun};
use crate::lab::Lab;
use crate::latency;
use crate::memory;
use crate::row::{Row, Run};
use crate::setup::Setup;
use crate::size::Size;
use crate::trial::Trial;

/// One repetition, and what the server allowed immediately before the drains; none for what has no limit.
pub(super) async fn measure(
    lab: &Lab,
    setup: Setup,
    size: &Size,
) -> anyhow::Result<(PeerRun, Option<PeerRun>)> {
    let drain = async |trial: &Trial<'_>| drain::once(trial, size).await;
    let latency = async |trial: &Trial<'_>| latency::once(trial, size.samples).await;
    let without = setup.with_results(false);
    let [with, without] = only(lab.repeat("peers, drain", [setup, without], 1, drain).await)?;
    let [latency] = only(lab.repeat("peers, latency", [setup], 1, latency).await)?;
    let [idle] = only(lab.repeat("peers, memory", [setup], 1, memory::idle).await)?;
    let run = PeerRun {
        per_s: Some(with.figures.per_s),
        without_per_s: Some(without.figures.per_s),
        worker_cpu_us: Some(with.figures.worker_cpu_us),
        server_cpu_us: with.figures.server_cpu_us,
        p50_ms: Some(latency.figures.p50_ms),
        p99_ms: Some(latency.figures.p99_ms),
        idle_mib: Some(idle.figures),
        drained_mib: Some(with.figures.pss_mib),
        reference: Some(with.reference.per_s),
    };
    Ok((run, allowed(&with.figures, &without.figures)))
}

fn allowed(with: &DrainRun, without: &DrainRun) -> Option<PeerRun> {
    let (with, without) = with.limit.zip(without.limit)?;
    Some(PeerRun {
        per_s: Some(with.per_s),
        without_per_s: Some(without.per_s),
        server_cpu_us: Some(with.server_cpu_us),
        ..PeerRun::default()
    })
}

/// The only repetition of each row, or the first failure.
fn only<R, const N: usize>(rows: Vec<Row<R>>) -> anyhow::Result<[Run<R>; N]> {
    let runs = rows.into_iter().map(|mut row| {
        let failed = || anyhow!(row.note.take().unwrap_or_default());
        row.runs.pop().ok_or_else(failed)
    });
    let runs = runs.collect::<anyhow::Result<Vec<_>>>()?.try_into().ok();
    Ok(runs.expect("there is a row for each setup"))
}

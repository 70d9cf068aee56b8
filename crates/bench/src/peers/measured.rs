//! Ours and Celery among the peers, by the measurements that they have of their own.

use super::PeerRun;
use crate::drain::{self, DrainRun};
use crate::lab::Lab;
use crate::latency;
use crate::memory;
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
    let with = lab.once(setup, drain).await?;
    let without = lab.once(setup.with_results(false), drain).await?;
    let latency = async |trial: &Trial<'_>| latency::once(trial, size.samples).await;
    let latency = lab.once(setup, latency).await?;
    let idle = lab.once(setup, memory::idle).await?;
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

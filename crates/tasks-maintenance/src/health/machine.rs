//! Disk and memory of this machine.

use std::error::Error;

use nix::sys::statvfs::statvfs;
use procfs::{Current, Meminfo};
use tasks::app;
use worker::Context;

use super::CheckStatus::{self, Degraded, Healthy, Unhealthy};
use super::probe::Finding;

type Found = Result<Finding, Box<dyn Error + Send + Sync>>;

pub(super) fn disk(ctx: &Context) -> Found {
    let Ok(app) = app(ctx) else {
        return Ok((Unhealthy, "there is no data folder".to_owned()));
    };
    let disk = statvfs(app.data())?;
    let free = share(disk.blocks_available(), disk.blocks());
    Ok((
        judge(free),
        format!("{free:.1} % free in {}", app.data().display()),
    ))
}

pub(super) fn memory() -> Found {
    let memory = Meminfo::current()?;
    let free = share(
        memory.mem_available.unwrap_or(memory.mem_free),
        memory.mem_total,
    );
    Ok((judge(free), format!("{free:.1} % available")))
}

/// Per cent.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 53 bits"
)]
fn share(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn judge(free: f64) -> CheckStatus {
    match free {
        free if free < 3.0 => Unhealthy,
        free if free < 10.0 => Degraded,
        _ => Healthy,
    }
}

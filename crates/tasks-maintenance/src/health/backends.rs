//! Broker, results, workers, queues and beat.

use std::error::Error;

use broker::{Backends, ResultBackend};
use jiff::SignedDuration;
use protocol::{State, TaskMeta, Value};
use serde::Deserialize;
use worker::Context;

use super::CheckStatus::{Degraded, Healthy, Unhealthy};
use super::probe::Finding;
use super::waits;

type Found = Result<Finding, Box<dyn Error + Send + Sync>>;

/// More ready messages than this are a backlog.
const BACKLOG: u64 = 10_000;
/// A message that waits for longer is late.
const LONG_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// The lease that the active beat holds, and the space that it remembers in.
const BEAT: &str = "celeriac.beat";
const HEARTBEAT: &str = "beat:heartbeat";

fn open(ctx: &Context) -> &Backends {
    ctx.client().backends()
}

pub(super) async fn broker(ctx: &Context) -> Found {
    let took = open(ctx).admin.ping().await?;
    Ok((
        Healthy,
        format!("answered in {:.1} ms", took.as_secs_f64() * 1_000.0),
    ))
}

/// Writes, reads and deletes a result of its own.
pub(super) async fn results(ctx: &Context) -> Found {
    match &open(ctx).results {
        None => Ok((Healthy, "not configured".to_owned())),
        Some(backend) => round_trip(backend.as_ref()).await,
    }
}

async fn round_trip(backend: &dyn ResultBackend) -> Found {
    let id = format!("health-{}", uuid::Uuid::new_v4());
    let meta = TaskMeta::new(id.clone(), State::Success, Value::Bool(true));
    backend.store(vec![meta]).await?;
    let read = backend.fetch(std::slice::from_ref(&id)).await?;
    backend.forget(&[id]).await?;
    let found = read
        .into_iter()
        .flatten()
        .any(|meta| meta.result == Value::Bool(true));
    Ok(if found {
        (Healthy, "written, read and deleted".to_owned())
    } else {
        (Unhealthy, "what was written cannot be read".to_owned())
    })
}

pub(super) async fn workers(ctx: &Context) -> Found {
    let workers = open(ctx).admin.workers().await?;
    let status = if workers.is_empty() {
        Unhealthy
    } else {
        Healthy
    };
    Ok((status, format!("{} alive", workers.len())))
}

pub(super) async fn queues(ctx: &Context) -> Found {
    let admin = &open(ctx).admin;
    let names = admin.queues().await?;
    let depths = admin.depth(&names).await?;
    let ready: u64 = depths.iter().map(|depth| depth.ready()).sum();
    let waiting = names
        .iter()
        .zip(&depths)
        .filter(|(_, depth)| depth.ready() > 0);
    let waiting: Vec<&str> = waiting.map(|(name, _)| name.as_str()).collect();
    let oldest = waits::longest(open(ctx), &waiting).await?;
    let late = oldest.as_ref().is_some_and(|(_, wait)| *wait > LONG_WAIT);
    let status = if ready > BACKLOG || late {
        Degraded
    } else {
        Healthy
    };
    let oldest = oldest.map_or_else(String::new, |(queue, wait)| {
        format!(", the oldest in {queue} for {} s at least", wait.as_secs())
    });
    Ok((
        status,
        format!("{ready} ready in {} queues{oldest}", names.len()),
    ))
}

/// The leader and what it last said of itself.
pub(super) async fn beat(ctx: &Context) -> Found {
    let coordinator = &open(ctx).coordinator;
    let Some(holder) = coordinator.holder(BEAT).await? else {
        return Ok((Degraded, "no beat is active".to_owned()));
    };
    let said = coordinator.fetch(BEAT, &[HEARTBEAT.to_owned()]).await?;
    let said = said.into_iter().flatten().next();
    let said: Option<Heartbeat> = said.and_then(|record| serde_json::from_slice(&record).ok());
    Ok(match said.filter(|said| said.name == holder.owner) {
        Some(said) => (
            Healthy,
            format!("active: {}, {} entries", said.name, said.entries),
        ),
        None => (Healthy, format!("active: {}", holder.owner)),
    })
}

/// What the leader writes whenever it renews its lease.
#[derive(Deserialize)]
struct Heartbeat {
    name: String,
    entries: u64,
}

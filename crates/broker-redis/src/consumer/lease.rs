//! The incarnation's lease: beginning it, renewing it, losing it, and telling how the connection does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use broker::{Notice, Renewal, Result};
use redis::{Pipeline, Value};
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::shared::Shared;
use super::suspects;
use crate::script;

/// The name under which messages are held.
#[derive(Debug)]
pub(super) struct Lease {
    base: String,
    count: AtomicU64,
    current: RwLock<Arc<str>>,
    /// Who finds the lease gone first begins the next one; the others wait for it.
    changing: Mutex<()>,
    renewal: Renewal,
}

impl Default for Lease {
    fn default() -> Self {
        // Longer than `zset-max-listpack-value` (64 by default): the server then keeps `unacked_index` as a skip list from its first
        // member on. As a list it would walk it for every tag, which made reserving and settling half as expensive again.
        let base = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let current = RwLock::new(name(&base, 0));
        Self {
            base,
            count: AtomicU64::new(0),
            current,
            changing: Mutex::new(()),
            renewal: Renewal::new(),
        }
    }
}

impl Lease {
    /// What all names of this consumer begin with.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// How long ago the server answered the last renewal.
    pub(super) fn age(&self) -> Duration {
        self.renewal.age()
    }

    /// The present name.
    pub(super) fn current(&self) -> Arc<str> {
        Arc::clone(&self.current.read().expect("no holder of this lock panics"))
    }

    fn advance(&self) -> Arc<str> {
        let next = name(&self.base, self.count.fetch_add(1, Ordering::Relaxed) + 1);
        *self.current.write().expect("no holder of this lock panics") = Arc::clone(&next);
        next
    }
}

fn name(base: &str, count: u64) -> Arc<str> {
    format!("{base}.{count}").into()
}

/// Begins the first lease.
///
/// # Errors
/// At once when the server cannot be reached.
pub(super) async fn begin(shared: &Shared) -> Result<()> {
    let command = registration(shared, &shared.lease.current());
    shared.keep.call("begin a lease", command).await?;
    shared.declare_queues().await
}

fn registration(shared: &Shared, incarnation: &str) -> redis::Cmd {
    let description =
        serde_json::json!({"node": shared.params.node, "lease_ms": millis(shared.params.lease)});
    let mut command =
        script::REGISTER.on(&[&shared.keys.workers, &shared.keys.nodes, &shared.keys.pulse]);
    command
        .arg(incarnation)
        .arg(millis(shared.params.lease))
        .arg(description.to_string());
    command
}

/// The lease of `lost` is gone: goes on under a new name. What was held is somebody else's now.
pub(super) async fn replace(shared: &Shared, lost: &str) -> Result<()> {
    let _changing = shared.lease.changing.lock().await;
    if &*shared.lease.current() != lost {
        return Ok(());
    }
    tracing::warn!(
        incarnation = lost,
        "the lease was lost while this worker was frozen or cut off; what it held was given to others"
    );
    shared.holds.clear();
    let next = shared.lease.advance();
    shared
        .keep
        .persist("begin a lease", registration(shared, &next))
        .await?;
    shared.notify(Notice::Fenced);
    shared.declare_queues().await
}

/// Renews the lease three times in its time, and looks for reservations whose answer got lost.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(shared.params.lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = renew(&shared).await {
            tracing::error!(%error, "cannot renew the lease");
        }
        if let Err(error) = suspects::recover(&shared).await {
            tracing::warn!(%error, "cannot look for reservations whose answer got lost");
        }
    }
}

async fn renew(shared: &Shared) -> Result<()> {
    let incarnation = shared.lease.current();
    let mut command = script::RENEW.on(&[&shared.keys.workers, &shared.keys.pulse]);
    command.arg(&*incarnation).arg(millis(shared.params.lease));
    let renewed = shared.keep.persist("renew the lease", command).await?;
    shared.lease.renewal.renew();
    match renewed {
        Value::Int(0) => replace(shared, &incarnation).await,
        _ => Ok(()),
    }
}

/// Tells the server three times in every visibility time-out what is still held, so that no sweep takes it for abandoned.
pub(super) async fn refresh(shared: Arc<Shared>) {
    let mut ticks = interval(shared.params.visibility_timeout / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut pipeline = Pipeline::new();
        for chunk in shared.holds.tags().chunks(400) {
            let mut command = script::REFRESH.on(&[&shared.keys.unacked_index]);
            command.arg(chunk.iter().map(|tag| &**tag).collect::<Vec<&str>>());
            pipeline.add_command(command);
        }
        if pipeline.is_empty() {
            continue;
        }
        if let Err(error) = shared.keep.send("refresh held messages", &pipeline).await {
            tracing::error!(%error, "cannot refresh held messages");
        }
    }
}

/// Tells the worker when the connection is lost and when it is back.
pub(super) async fn report(shared: Arc<Shared>) {
    let mut health = shared.hot.health();
    let mut up = true;
    while health.changed().await.is_ok() {
        let now = health.borrow_and_update().up;
        match (up, now) {
            (true, false) => shared.notify(Notice::Disconnected {
                error: "the connection to Redis was lost".to_owned(),
            }),
            (false, true) => shared.notify(Notice::Reconnected),
            _ => {}
        }
        up = now;
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! One incarnation of a worker on Redis: the trait's methods, and the tasks that run beside them.
//!
//! Two connections: one reserves, settles and waits; the other renews the lease, sweeps and promotes, so that neither starves the
//! other. The incarnation's name is `<base>.<n>`: `n` grows when the lease was lost and a new one begins, and the base stays.
//! Tags are `<base>.<n>:<step>:<number>`; a payload that is no JSON object has `p<step>` and is held in `celeriac.poison`, where no
//! Python sweep trips over it.

mod abandoned;
mod held;
mod lease;
mod promote;
mod queues;
mod requests;
mod reserve;
mod restore;
mod settle;
mod shared;
mod suspects;
mod sweep;
mod tag;
mod take;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker::{
    BrokerError, Consumer, ConsumerParams, Delivery, ErrorKind, Notice, Result, Settled, Settlement,
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use shared::Parts;
use shared::Shared;
pub(crate) use tag::consumer_of;

/// How long closing may take when the server does not answer; the lease then runs out and the sweep does the rest.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A consumer on Redis.
#[derive(Debug)]
pub(crate) struct RedisConsumer {
    shared: Arc<Shared>,
    /// Ends the tasks, and with them the renewals, when the consumer is dropped.
    _dropped: DropGuard,
}

impl RedisConsumer {
    /// Begins a lease and starts the tasks.
    pub(crate) async fn open(parts: Parts, params: ConsumerParams) -> Result<Self> {
        let dropped = CancellationToken::new();
        let shared = Arc::new(Shared::new(parts, params, &dropped)?);
        lease::begin(&shared).await?;
        spawn_tasks(&shared);
        Ok(Self {
            shared,
            _dropped: dropped.drop_guard(),
        })
    }
}

fn spawn_tasks(shared: &Arc<Shared>) {
    let tasks: [futures_util::future::BoxFuture<'static, ()>; 6] = [
        Box::pin(lease::run(Arc::clone(shared))),
        Box::pin(lease::refresh(Arc::clone(shared))),
        Box::pin(lease::report(Arc::clone(shared))),
        Box::pin(sweep::run(Arc::clone(shared))),
        Box::pin(abandoned::run(Arc::clone(shared))),
        Box::pin(promote::run(Arc::clone(shared))),
    ];
    for task in tasks {
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(task));
    }
}

#[async_trait]
impl Consumer for RedisConsumer {
    fn incarnation(&self) -> &str {
        self.shared.lease.base()
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        reserve::reserve(&self.shared, max).await
    }

    fn overlaps(&self) -> bool {
        true
    }

    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        reserve::reserve_behind(&self.shared, max).await
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        settle::settle(&self.shared, batch).await
    }

    fn lease_age(&self) -> Duration {
        self.shared.lease.age()
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        self.shared.set_queues(queues);
        self.shared.declare_queues().await?;
        self.shared.wake.now();
        Ok(())
    }

    async fn close(&self) -> Result<usize> {
        self.shared.stop.cancel();
        let closing = restore::give_back(&self.shared);
        tokio::time::timeout(CLOSE_TIMEOUT, closing).await.unwrap_or_else(|_| {
            Err(BrokerError::new(
                ErrorKind::Unreachable,
                "Redis did not answer while closing; what is held is ready again when the lease runs out",
            ))
        })
    }
}

impl Shared {
    /// Tells the worker; a full channel loses the notice, and the log says so.
    fn notify(&self, notice: Notice) {
        if self.params.notices.try_send(notice).is_err() {
            let lost = self
                .lost_notices
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
                + 1;
            tracing::warn!(
                lost,
                "a notice of the consumer was dropped: nobody reads them fast enough"
            );
        }
    }
}

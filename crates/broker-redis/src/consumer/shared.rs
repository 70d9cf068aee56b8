//! What the methods of a consumer and its tasks have in common.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{ConsumerParams, Result};
use redis::{Pipeline, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::held::Holds;
use super::lease::Lease;
use super::queues::{Queue, Queues};
use super::requests::Requests;
use super::suspects::Suspects;
use crate::error::invalid;
use crate::keys::Keys;
use crate::link::{Connector, Link};
use crate::outgoing::Router;
use crate::results::ResultWriter;
use crate::routing;
use crate::wake::Wake;

/// What a consumer is given by its broker.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) connector: Connector,
    pub(crate) router: Router,
    /// Where results go, when they are on the same server.
    pub(crate) results: Option<Arc<ResultWriter>>,
}

/// What the methods of a consumer and its tasks have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) params: ConsumerParams,
    pub(super) keys: Arc<Keys>,
    pub(super) router: Router,
    pub(super) results: Option<Arc<ResultWriter>>,
    /// Reserves, settles and waits.
    pub(super) hot: Link,
    /// Everything that time asks for.
    pub(super) keep: Link,
    pub(super) wake: Arc<Wake>,
    pub(super) lease: Lease,
    pub(super) holds: Holds,
    pub(super) suspects: Suspects,
    pub(super) queues: Mutex<Queues>,
    pub(super) requests: Requests,
    /// The next number of a tag.
    pub(super) next_number: AtomicU64,
    /// Something was deferred.
    pub(super) deferred: Notify,
    /// Cancelled by closing and by dropping: ends the tasks and whoever waits for messages.
    pub(super) stop: CancellationToken,
    pub(super) lost_notices: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        parts: Parts,
        params: ConsumerParams,
        dropped: &CancellationToken,
    ) -> Result<Self> {
        if params.lease < Duration::from_millis(30) || params.visibility_timeout.is_zero() {
            return Err(invalid(
                "a lease lasts at least 30 ms and visibility_timeout is above zero",
            ));
        }
        // After an outage everybody has one lease to renew.
        let pause = params.lease / 3;
        let wake = Arc::new(Wake::default());
        let keys = Arc::clone(&parts.router.keys);
        Ok(Self {
            hot: Link::with_push(
                parts.connector.clone(),
                dropped.clone(),
                Wake::greeting(),
                wake.on_push(),
            )
            .trying_every(pause),
            keep: Link::new(parts.connector, dropped.clone()).trying_every(pause),
            wake,
            lease: Lease::default(),
            holds: Holds::default(),
            suspects: Suspects::default(),
            queues: Mutex::new(Queues::new(params.queues.clone(), params.order, &keys)),
            requests: Requests::default(),
            next_number: AtomicU64::new(0),
            deferred: Notify::new(),
            stop: dropped.child_token(),
            lost_notices: AtomicU64::new(0),
            router: parts.router,
            results: parts.results,
            params,
            keys,
        })
    }

    /// The queues in the order of the next reservation, and whether they take turns.
    pub(super) fn plan(&self) -> (Vec<Arc<Queue>>, bool) {
        let queues = self.queues.lock().expect("no holder of this lock panics");
        (queues.plan(), queues.is_fair())
    }

    pub(super) fn set_queues(&self, names: Vec<String>) {
        *self.queues.lock().expect("no holder of this lock panics") =
            Queues::new(names, self.params.order, &self.keys);
    }

    /// Binds the queues, as every consumer does.
    pub(super) async fn declare_queues(&self) -> Result<()> {
        let mut pipeline = Pipeline::new();
        for queue in self.plan().0 {
            routing::add_declaration(&self.keys, &queue.name, &mut pipeline);
        }
        if pipeline.is_empty() {
            return Ok(());
        }
        let answers = self.keep.send("declare queues", &pipeline).await?.answers;
        answers
            .into_iter()
            .try_for_each(|answer| match answer.extract_error() {
                Ok(_) => Ok(()),
                Err(error) => Err(self.keep.explain("declare queues", error)),
            })
    }

    /// The records held under these tags, from the hash of sound ones or that of poison; `None` where nothing is held.
    pub(super) async fn records(
        &self,
        link: &Link,
        tags: &[Arc<str>],
    ) -> Result<Vec<Option<Vec<u8>>>> {
        let mut found = Vec::with_capacity(tags.len());
        for chunk in tags.chunks(500) {
            let chunk: Vec<&str> = chunk.iter().map(|tag| &**tag).collect();
            let mut pipeline = Pipeline::new();
            pipeline.cmd("HMGET").arg(&self.keys.unacked).arg(&chunk);
            pipeline.cmd("HMGET").arg(&self.keys.poison).arg(&chunk);
            let answers = link.send("read held messages", &pipeline).await?.answers;
            let mut columns = answers
                .into_iter()
                .map(|answer| decode::<Vec<Option<Vec<u8>>>>(link, "read held messages", answer));
            let (sound, poison) = (
                columns.next().transpose()?.unwrap_or_default(),
                columns.next().transpose()?.unwrap_or_default(),
            );
            found.extend(
                sound
                    .into_iter()
                    .zip(poison)
                    .map(|(sound, poison)| sound.or(poison)),
            );
        }
        Ok(found)
    }
}

/// An answer as a Rust value.
pub(super) fn decode<T: redis::FromRedisValue>(
    link: &Link,
    action: &str,
    answer: Value,
) -> Result<T> {
    let value = answer
        .extract_error()
        .map_err(|error| link.explain(action, error))?;
    redis::from_redis_value(value).map_err(|error| link.explain(action, error.into()))
}

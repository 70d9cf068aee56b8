//! A complete broker in the memory of one process: transport, results, coordinator and admin.
//!
//! It is meant for tests and for programs that need no server. Messages are stored encoded and are decoded when they
//! are reserved, as on a server; leases, deferred messages and expiry follow tokio's clock, so that a test may pause it.
//! Nothing outlives the process. It has no foreign holders, so `visibility_timeout` has no meaning here.

mod admin;
mod bindings;
mod calls;
mod chords;
mod clock;
mod consumer;
mod coordination;
mod deferred;
mod envelope;
mod feeds;
mod parking;
mod queues;
mod result_table;
mod results;
mod settling;
mod shared;
mod state;
mod transport;
mod workers;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{Backends, ResultPolicy};
use clock::Clock;
use envelope::Item;
use shared::Shared;

/// The memory broker. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker {
    shared: Arc<Shared>,
}

impl MemoryBroker {
    /// An empty broker that keeps results for a day, as Celery does.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty broker with this policy for results. Only its expiry matters: metas are kept as values.
    pub fn with_policy(policy: ResultPolicy) -> Self {
        Self {
            shared: Arc::new(Shared::new(policy)),
        }
    }

    /// All four seams on this one state.
    pub fn backends(&self) -> Backends {
        Backends {
            broker: Arc::new(self.clone()),
            admin: Arc::new(self.clone()),
            coordinator: Arc::new(self.clone()),
            results: Some(Arc::new(self.clone())),
        }
    }

    /// Puts bytes in a queue as they are, for tests of what cannot be decoded.
    pub fn publish_raw(&self, queue: &str, raw: impl Into<Bytes>) {
        let item = Item::raw(queue, raw.into());
        self.shared.change(|state| state.queues.push_back(item));
    }

    /// Sets its clock, as somebody sets that of a server. Leases do not move with it.
    pub fn set_clock(&self, now: Timestamp) {
        self.shared
            .change(|state| state.clock = Clock::showing(now));
    }

    /// Declares an incarnation dead as if its lease had run out; `false` if there is none of this name.
    pub fn expire_lease(&self, incarnation: &str) -> bool {
        self.shared.change(|state| state.bury(incarnation))
    }
}

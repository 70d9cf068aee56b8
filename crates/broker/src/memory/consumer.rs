//! One incarnation: it renews its lease from a task of its own, which stops when the consumer is dropped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use protocol::Limits;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::envelope::Item;
use super::settling::Order;
use super::shared::Shared;
use super::state::State;
use super::workers::Worker;
use crate::{
    BrokerError, Consumer, ConsumerParams, Delivery, ErrorKind, Notice, Renewal, Result, Settled,
    Settlement, Tag,
};

/// The memory broker's consumer.
#[derive(Debug)]
pub(super) struct MemoryConsumer {
    membership: Arc<Membership>,
    limits: Limits,
    /// Those who reserve, one after the other.
    turns: tokio::sync::Mutex<()>,
    closed: CancellationToken,
    _renewals: DropGuard,
}

impl MemoryConsumer {
    pub(super) fn open(shared: Arc<Shared>, params: ConsumerParams) -> Self {
        let limits = params.limits;
        let closed = shared.closed.child_token();
        let renewals = closed.child_token();
        let lease = params.lease;
        let membership = Arc::new(Membership::join(shared, params));
        tokio::spawn(
            renewals
                .clone()
                .run_until_cancelled_owned(renew(membership.clone(), lease / 3)),
        );
        Self {
            membership,
            limits,
            turns: tokio::sync::Mutex::default(),
            closed,
            _renewals: renewals.drop_guard(),
        }
    }

    fn check_open(&self) -> Result<()> {
        if self.closed.is_cancelled() {
            return Err(closed_error());
        }
        Ok(())
    }

    fn deliveries(&self, taken: Vec<(Tag, Item)>) -> Vec<Delivery> {
        taken
            .into_iter()
            .map(|taken| self.delivery(taken))
            .collect()
    }

    fn delivery(&self, (tag, item): (Tag, Item)) -> Delivery {
        let message = item.decode(&self.limits).into();
        Delivery {
            tag,
            message,
            redelivered: item.redelivered,
            deaths: item.deaths,
            asked: Instant::now().into_std(),
            queue: item.queue,
        }
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    fn incarnation(&self) -> &str {
        &self.membership.first_name
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        let _turn = self.turns.lock().await;
        self.check_open()?;
        let membership = &self.membership;
        let taken = membership
            .shared
            .wait_for(|state| Some(membership.take(state, max)).filter(|taken| !taken.is_empty()));
        let taken = self
            .closed
            .run_until_cancelled(taken)
            .await
            .ok_or_else(closed_error)?;
        Ok(self.deliveries(taken))
    }

    fn overlaps(&self) -> bool {
        true
    }

    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        self.check_open()?;
        // Whoever has the turn waits: nothing is there, or it is his.
        let Ok(_turn) = self.turns.try_lock() else {
            return Ok(Vec::new());
        };
        let membership = &self.membership;
        let taken = membership
            .shared
            .change(|state| membership.take(state, max));
        Ok(self.deliveries(taken))
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        self.check_open()?;
        let orders = batch
            .into_iter()
            .map(Order::prepare)
            .collect::<Result<Vec<_>>>()?;
        let membership = &self.membership;
        Ok(membership.shared.change(|state| {
            membership.renew(state);
            orders
                .into_iter()
                .map(|order| order.carry_out(state, &membership.node))
                .collect()
        }))
    }

    fn lease_age(&self) -> Duration {
        self.membership.renewal.age()
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        self.check_open()?;
        self.membership.set_queues(&queues);
        Ok(())
    }

    async fn close(&self) -> Result<usize> {
        self.check_open()?;
        self.closed.cancel();
        Ok(self.membership.leave())
    }
}

fn closed_error() -> BrokerError {
    BrokerError::new(ErrorKind::Closed, "this consumer was closed")
}

async fn renew(membership: Arc<Membership>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        membership.shared.change(|state| membership.renew(state));
    }
}

/// A consumer's place among the workers. It survives being declared dead: it goes on under a new name.
#[derive(Debug)]
struct Membership {
    shared: Arc<Shared>,
    node: String,
    first_name: Arc<str>,
    now: Mutex<Identity>,
    renewal: Renewal,
}

/// The current name, and what is needed to register under another one.
#[derive(Debug)]
struct Identity {
    name: Arc<str>,
    worker: Worker,
}

impl Membership {
    fn join(shared: Arc<Shared>, params: ConsumerParams) -> Self {
        let name = new_name();
        let node = params.node.clone();
        let worker = shared.change(|state| {
            params
                .queues
                .iter()
                .for_each(|queue| state.bindings.declare(queue));
            let worker = worker(params, state);
            state.workers.insert(name.clone(), worker.clone());
            worker
        });
        let now = Mutex::new(Identity {
            name: name.clone(),
            worker,
        });
        Self {
            shared,
            node,
            first_name: name,
            now,
            renewal: Renewal::new(),
        }
    }

    /// Renews the lease and returns the name that it is held under; registers anew when it was lost.
    fn renew(&self, state: &mut State) -> Arc<str> {
        let mut identity = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.clock.now();
        self.renewal.renew();
        if let Some(worker) = state.workers.get_mut(&identity.name) {
            worker.renew(now);
            return identity.name.clone();
        }
        identity.name = new_name();
        identity.worker.renew(now);
        identity.worker.notify(Notice::Fenced);
        state
            .workers
            .insert(identity.name.clone(), identity.worker.clone());
        identity.name.clone()
    }

    fn take(&self, state: &mut State, max: usize) -> Vec<(Tag, Item)> {
        let incarnation = self.renew(state);
        state.take(&incarnation, max)
    }

    fn set_queues(&self, queues: &[String]) {
        self.shared.change(|state| {
            queues
                .iter()
                .for_each(|queue| state.bindings.declare(queue));
            let name = self.renew(state);
            let mut identity = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            identity.worker.set_queues(queues);
            state.workers.insert(name, identity.worker.clone());
        });
    }

    /// Ends the lease. Runs that were acknowledged early and have not ended are lost by it.
    fn leave(&self) -> usize {
        self.shared.change(|state| {
            let identity = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            state.workers.remove(&identity.name);
            for meta in state.lose_started(&identity.name) {
                identity.worker.notify(Notice::Lost {
                    meta: Box::new(meta),
                });
            }
            state.give_back(&identity.name, Item::redelivered)
        })
    }
}

fn worker(params: ConsumerParams, state: &State) -> Worker {
    let mut worker = Worker {
        node: params.node,
        lease: params.lease,
        expires: Instant::now() + params.lease,
        renewed: state.clock.now(),
        order: params.order,
        queues: Default::default(),
        notices: params.notices,
    };
    worker.set_queues(&params.queues);
    worker
}

fn new_name() -> Arc<str> {
    Uuid::new_v4().simple().to_string().into()
}

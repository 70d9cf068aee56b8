//! What all components of one worker share: settings, registry, client, tables, and the ways to the acknowledger and to the events.

use std::sync::Arc;
use std::time::Instant;

use broker::{BrokerError, ChordStore, ErrorKind, Settled, Settlement};
use client::Client;
use protocol::event::Event;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, warn};

use crate::acknowledger::Completion;
use crate::activity::Activity;
use crate::events::EventSender;
use crate::handover::Handover;
use crate::health::{Metrics, Vitals};
use crate::limiter::Limiter;
use crate::pools::{Hogs, PoolHandle};
use crate::queues::Queues;
use crate::revocations::Revocations;
use crate::settler::{self, Following, Permit};
use crate::{Hook, Registry, WorkerError, WorkerSettings};

/// The shared parts of a worker. Nothing in it is locked across an await.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) settings: WorkerSettings,
    pub(crate) registry: Registry,
    pub(crate) client: Client,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) revocations: Revocations,
    pub(crate) limiter: Limiter,
    pub(crate) queues: Queues,
    pub(crate) activity: Arc<Activity>,
    pub(crate) hogs: Arc<Hogs>,
    pub(crate) pool: PoolHandle,
    pub(crate) vitals: Vitals,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: EventSender,
    pub(crate) completions: mpsc::Sender<Box<Completion>>,
    pub(crate) handover: Handover,
    /// Ends that take more than one step to settle.
    pub(crate) following: Following,
    pub(crate) stores_results: bool,
    /// Whether members of chords count themselves.
    pub(crate) counts_chords: bool,
    pub(crate) started: Instant,
}

/// What leaves an engine: settlements for the acknowledger, events for the publisher.
#[derive(Debug)]
pub(crate) struct Outlets {
    /// What the acknowledger reads.
    pub(crate) completions: mpsc::Receiver<Box<Completion>>,
    /// What the publisher of events reads.
    pub(crate) events: mpsc::Receiver<Event>,
}

/// Settlements that may wait for the acknowledger.
const COMPLETIONS: usize = 4_096;

impl Engine {
    /// The shared parts of a worker that has done nothing yet.
    ///
    /// # Errors
    /// When the rate limit of a task cannot be read.
    pub(crate) fn new(
        client: Client,
        mut registry: Registry,
        settings: WorkerSettings,
        hooks: Vec<Arc<dyn Hook>>,
    ) -> Result<(Arc<Self>, Outlets), WorkerError> {
        registry.add_builtins();
        let (events, waiting_events) = EventSender::new(settings.worker_send_task_events);
        let limiter = Limiter::new(
            &registry,
            settings.task_default_rate_limit.as_deref(),
            settings.worker_disable_rate_limits,
        )?;
        let (completions, waiting) = mpsc::channel(COMPLETIONS);
        let results = client.backends().results.as_deref();
        let metrics = Metrics::new(settings.task_metrics);
        let engine = Self {
            following: Following::default(),
            stores_results: results.is_some(),
            counts_chords: results.is_some_and(ChordStore::joins_chords),
            pool: PoolHandle::new(&settings),
            revocations: Revocations::new(settings.revokes_max, settings.revoke_expires),
            limiter,
            queues: Queues::new(&settings.queues),
            activity: Arc::default(),
            hogs: Arc::default(),
            settings,
            registry,
            client,
            hooks,
            vitals: Vitals::default(),
            metrics: Arc::new(metrics),
            events,
            completions,
            handover: Handover::default(),
            started: Instant::now(),
        };
        let outlets = Outlets {
            completions: waiting,
            events: waiting_events,
        };
        Ok((Arc::new(engine), outlets))
    }

    /// Hands an end over to be settled; waits while there is too much to do.
    ///
    /// The end is boxed before anything is awaited: it is large, and every run's future would have room for it several times.
    pub(crate) fn complete(
        self: &Arc<Self>,
        completion: Completion,
    ) -> impl Future<Output = ()> + Send {
        let completion = Box::new(completion);
        let engine = Arc::clone(self);
        async move {
            if completion.follow_up.is_none() {
                return engine.acknowledge(completion).await;
            }
            let permit = engine.following.permit().await;
            engine.follow(completion, Some(permit));
        }
    }

    /// Settles what takes more than one step, beside everything else.
    pub(crate) fn follow(self: &Arc<Self>, completion: Box<Completion>, permit: Option<Permit>) {
        let engine = Arc::clone(self);
        let following = async move {
            settler::settle(&engine, *completion).await;
            drop(permit);
        };
        self.following.tracker.spawn(following.in_current_span());
    }

    async fn acknowledge(&self, completion: Box<Completion>) {
        self.handover.begin();
        if self.completions.send(completion).await.is_err() {
            warn!("a run ended after the worker; its message runs again");
        }
    }

    /// Settles and waits for what came of it; `None` when the worker has ended or the broker refuses.
    pub(crate) fn settle(
        self: &Arc<Self>,
        settlement: Settlement,
    ) -> impl Future<Output = Option<Settled>> + Send {
        let tag = settlement.tag.clone();
        let settled = self.try_settle(settlement);
        async move {
            settled
                .await
                .inspect_err(|error| warn!(%tag, %error, "cannot settle"))
                .ok()
        }
    }

    /// Settles and waits for what came of it. Boxed as in [`complete`](Self::complete).
    ///
    /// # Errors
    /// When the worker has ended, or the broker refuses the settlement.
    pub(crate) fn try_settle(
        self: &Arc<Self>,
        settlement: Settlement,
    ) -> impl Future<Output = Result<Settled, BrokerError>> + Send {
        let (reply, settled) = oneshot::channel();
        let completion = Box::new(Completion {
            reply: Some(reply),
            ..settlement.into()
        });
        let engine = Arc::clone(self);
        async move {
            engine.acknowledge(completion).await;
            let ended = |_| BrokerError::new(ErrorKind::Closed, "the worker has ended");
            settled.await.map_err(ended)?
        }
    }
}

/// Now, in seconds since the epoch, as Python's `time.time()`.
pub(crate) fn epoch() -> f64 {
    jiff::Timestamp::now().as_duration().as_secs_f64()
}

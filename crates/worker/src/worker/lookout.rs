//! Looks whether the worker really consumes. One that does not gets a new consumer; if that does not help, or the broker stays away
//! for too long, the worker ends and says why.

use std::sync::Arc;
use std::time::Duration;

use broker::{Consumer, QueueDepth};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{error, warn};

use crate::consumers::{Consumers, owns};
use crate::engine::Engine;
use crate::health::{Readiness, Stall, Step};
use crate::{Shutdown, WorkerError};

/// How long the broker may take to say how full its queues are.
const ANSWER: Duration = Duration::from_secs(2);

/// The actor that looks.
#[derive(Debug)]
pub(super) struct Lookout {
    engine: Arc<Engine>,
    consumers: Arc<Consumers>,
    shutdown: Shutdown,
    stall: Stall,
    /// Messages taken until the look before.
    taken: u64,
}

impl Lookout {
    pub(super) fn new(engine: Arc<Engine>, consumers: Arc<Consumers>, shutdown: Shutdown) -> Self {
        let stall = Stall::new(engine.settings.stall);
        Self {
            engine,
            consumers,
            shutdown,
            stall,
            taken: 0,
        }
    }

    /// Runs until the worker is asked to stop, or must end.
    pub(super) async fn run(mut self) -> Option<WorkerError> {
        let mut ticks = interval(self.stall.interval());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.shutdown.clone();
        let failed = shutdown.requested();
        tokio::pin!(failed);
        loop {
            tokio::select! {
                () = &mut failed => break,
                _ = ticks.tick() => {}
            }
            if let Some(error) = self.look().await {
                error!(%error, "the worker cannot go on");
                return Some(error);
            }
        }
        self.engine.vitals.judge(Readiness::Stopping);
        None
    }

    async fn look(&mut self) -> Option<WorkerError> {
        self.close_idle().await;
        self.engine.vitals.lease_is(self.consumers.lease_age());
        let outage = self.engine.vitals.outage();
        let Some(depths) = self.depths().await.filter(|_| outage.is_none()) else {
            self.engine.vitals.judge(Readiness::Disconnected);
            let patience = self.engine.settings.connection_patience?;
            let outage = outage.filter(|outage| *outage >= patience)?;
            return Some(WorkerError::Disconnected { outage });
        };
        let idle = self.is_idle(&depths);
        match self.stall.look(idle) {
            Step::Fine => self.engine.vitals.judge(Readiness::Ready),
            Step::Wait => self.judge_stalled(),
            Step::Repair => self.repair(&depths).await,
            Step::GiveUp => {
                self.judge_stalled();
                return Some(WorkerError::Stalled {
                    time: self.stall.duration(),
                });
            }
        }
        None
    }

    /// How full the queues are; `None` when the broker does not say so in time.
    async fn depths(&self) -> Option<Vec<QueueDepth>> {
        let queues = self.consumers.queues();
        let asked = self.engine.client.backends().admin.depth(&queues);
        let depths = timeout(self.stall.interval().max(ANSWER), asked)
            .await
            .ok()?;
        let depths = depths
            .inspect_err(|error| warn!(%error, "cannot look how full the queues are"))
            .ok()?;
        for depth in &depths {
            self.engine.metrics.ready(&depth.queue, depth.ready());
        }
        Some(depths)
    }

    /// Whether something was ready, a place was free, and yet nothing was taken since the look before.
    fn is_idle(&mut self, depths: &[QueueDepth]) -> bool {
        let engine = &self.engine;
        let taken = engine.vitals.taken();
        let has_taken = std::mem::replace(&mut self.taken, taken) != taken;
        let has_room = engine.activity.count() < engine.pool.prefetch_count()
            && engine.activity.bytes() < engine.settings.reserve_bytes;
        let has_work = depths.iter().any(|depth| depth.ready() > 0);
        !has_taken && has_room && has_work
    }

    fn judge_stalled(&self) {
        let stalled = Readiness::Stalled(self.stall.duration());
        self.engine.vitals.judge(stalled);
    }

    async fn repair(&self, depths: &[QueueDepth]) {
        self.engine.metrics.stalled();
        self.judge_stalled();
        let ready: Vec<_> = depths
            .iter()
            .filter(|depth| depth.ready() > 0)
            .map(|depth| depth.queue.as_str())
            .collect();
        error!(
            queues = ready.join(","),
            seconds = self.stall.duration().as_secs_f64(),
            "messages are ready and slots are free, but nothing was taken: opening a new consumer"
        );
        let replaced = timeout(self.stall.interval().max(ANSWER), self.consumers.replace()).await;
        match replaced {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "a new consumer cannot be opened"),
            Err(_) => error!("a new consumer cannot be opened: the broker does not answer"),
        }
    }

    async fn close_idle(&self) {
        let held = self.engine.activity.held();
        // An end that is followed up may be of any of them.
        let follows = !self.engine.following.tracker.is_empty();
        let runs =
            |consumer: &dyn Consumer| follows || held.iter().any(|held| owns(consumer, &held.tag));
        self.consumers.close_idle(runs, &self.engine.handover).await;
    }
}

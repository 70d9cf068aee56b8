//! Reserves messages, never more than there are free places, and hands each to admission.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::{BrokerError, Consumer, Delivery};
use tokio::sync::OwnedSemaphorePermit;
use tracing::warn;

use crate::Shutdown;
use crate::admission::{Admission, admit};
use crate::engine::Engine;
use crate::executor::Executor;
use crate::limiter::Waiting;

/// Wait before reserving again after an outage that the broker did not wait through itself.
const PAUSE: Duration = Duration::from_millis(500);

/// How large a message's body is taken to be before the first one came, in bytes.
const UNKNOWN: usize = 64 * 1_024;

/// What an [`Intake`] needs.
#[derive(Debug)]
pub(crate) struct IntakeParams {
    pub(crate) engine: Arc<Engine>,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) executor: Executor,
    pub(crate) shutdown: Shutdown,
}

/// The actor that reserves.
#[derive(Debug)]
pub(crate) struct Intake {
    params: IntakeParams,
    /// How large a message's body usually is, in bytes.
    typical: AtomicUsize,
    waiting: Waiting,
}

impl Intake {
    pub(crate) fn new(params: IntakeParams) -> Self {
        Self {
            params,
            typical: AtomicUsize::new(UNKNOWN),
            waiting: Waiting::default(),
        }
    }

    /// Runs until the worker is asked to stop, or the broker refuses what waiting does not mend.
    pub(crate) async fn run(mut self) -> Result<(), BrokerError> {
        let mut sizes = self.params.engine.pool.sizes();
        loop {
            let reserved = tokio::select! {
                () = self.params.shutdown.requested() => return Ok(()),
                // Asks anew with the new number of places; the reservation that is dropped strands nothing.
                Ok(()) = sizes.changed() => continue,
                () = self.waiting.due() => {
                    self.start_waiting().await;
                    continue;
                }
                reserved = self.reserve() => reserved,
            };
            match reserved {
                Ok((places, batch)) => self.dispatch(places, batch).await,
                Err(error) if error.is_transient() => self.pause(&error).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn pause(&self, error: &BrokerError) {
        warn!(%error, "reserving failed, trying again");
        tokio::select! {
            () = self.params.shutdown.requested() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }

    /// Waits for a free place and for room, then for messages: as many as places are free, and no more than there is probably room for.
    async fn reserve(&self) -> Result<(OwnedSemaphorePermit, Vec<Delivery>), BrokerError> {
        let engine = &self.params.engine;
        let places = engine.pool.places().take_all().await;
        let room = engine.activity.room(engine.settings.reserve_bytes).await;
        let fitting = (room / self.typical.load(Ordering::Relaxed).max(1)).max(1);
        let batch = self
            .params
            .consumer
            .reserve(places.num_permits().min(fitting))
            .await?;
        engine.vitals.take(batch.len());
        self.measure(&batch);
        Ok((places, batch))
    }

    /// Learns how large messages are here. It believes a large one at once and small ones slowly.
    fn measure(&self, batch: &[Delivery]) {
        let sizes = batch
            .iter()
            .filter_map(|delivery| delivery.message.as_ref().ok())
            .map(|message| message.body.len());
        let typical = sizes.fold(self.typical.load(Ordering::Relaxed), |mean, size| {
            (mean - mean / 8 + size / 8).max(size)
        });
        self.typical.store(typical, Ordering::Relaxed);
    }

    /// Starts the run whose token has come. Nothing is reserved until there is a place for it.
    async fn start_waiting(&mut self) {
        let place = tokio::select! {
            place = self.params.engine.pool.places().take() => place,
            () = self.params.shutdown.requested() => return,
        };
        if let Some(run) = self.waiting.take() {
            self.params.engine.limiter.waited(&run.task.name);
            self.params.executor.start(run, place);
        }
    }

    async fn dispatch(&mut self, mut places: OwnedSemaphorePermit, batch: Vec<Delivery>) {
        for delivery in batch {
            match admit(&self.params.engine, delivery) {
                Admission::Run(run) => {
                    let place = places
                        .split(1)
                        .expect("a broker gives no more than was asked for");
                    self.params.executor.start(run, place);
                }
                Admission::Wait(at, run) => self.waiting.add(at, run),
                Admission::Settle(completion) => self.params.engine.complete(*completion).await,
            }
        }
    }
}

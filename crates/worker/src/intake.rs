//! Reserves messages, never more than there are free places, and hands each to admission.

use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, Consumer, Delivery};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::Shutdown;
use crate::admission::{Admission, admit};
use crate::engine::Engine;
use crate::executor::Executor;

/// Wait before reserving again after an outage that the broker did not wait through itself.
const PAUSE: Duration = Duration::from_millis(500);

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
    places: Arc<Semaphore>,
}

impl Intake {
    pub(crate) fn new(params: IntakeParams) -> Self {
        let places = Arc::new(Semaphore::new(params.engine.settings.prefetch_count()));
        Self { params, places }
    }

    /// Runs until the worker is asked to stop, or the broker refuses what waiting does not mend.
    pub(crate) async fn run(self) -> Result<(), BrokerError> {
        loop {
            let reserved = tokio::select! {
                () = self.params.shutdown.requested() => return Ok(()),
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

    /// Waits for a free place, then for messages: as many as places are free.
    async fn reserve(&self) -> Result<(OwnedSemaphorePermit, Vec<Delivery>), BrokerError> {
        let closed = "the semaphore is never closed";
        let mut places = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .expect(closed);
        let free = self.places.available_permits();
        if let Ok(free) = u32::try_from(free)
            && free > 0
            && let Ok(more) = Arc::clone(&self.places).try_acquire_many_owned(free)
        {
            places.merge(more);
        }
        let batch = self.params.consumer.reserve(places.num_permits()).await?;
        Ok((places, batch))
    }

    async fn dispatch(&self, mut places: OwnedSemaphorePermit, batch: Vec<Delivery>) {
        for delivery in batch {
            match admit(&self.params.engine, delivery) {
                Admission::Run(run) => {
                    let place = places
                        .split(1)
                        .expect("a broker gives no more than was asked for");
                    self.params.executor.start(run, place);
                }
                Admission::Settle(completion) => self.params.engine.complete(*completion).await,
            }
        }
    }
}

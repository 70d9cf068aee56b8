//! Reserves messages, never more than there are free places, and hands each to admission.

use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, Consumer, Delivery};
use tokio::sync::OwnedSemaphorePermit;
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
}

impl Intake {
    pub(crate) fn new(params: IntakeParams) -> Self {
        Self { params }
    }

    /// Runs until the worker is asked to stop, or the broker refuses what waiting does not mend.
    pub(crate) async fn run(self) -> Result<(), BrokerError> {
        let mut sizes = self.params.engine.pool.sizes();
        loop {
            let reserved = tokio::select! {
                () = self.params.shutdown.requested() => return Ok(()),
                // Asks anew with the new number of places; the reservation that is dropped strands nothing.
                Ok(()) = sizes.changed() => continue,
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
        let places = self.params.engine.pool.places().take_all().await;
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

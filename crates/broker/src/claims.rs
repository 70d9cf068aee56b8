//! Claim checks: a body above a threshold is stored beside its message, which carries only a reference to it.
//!
//! The payload lies in the result backend under `celery-claim-<task id>`, in the state `CLAIM`, for as long as results are kept. It is
//! stored before its message is published and deleted after the message was settled for good, so that whoever gets the message,
//! for the first time or again after a death or a retry, finds it. What a crash leaves behind expires.
//!
//! A message that waits longer than results are kept has lost its payload; whoever gets it then finds the reference, whose content
//! type nobody can read. Bodies of messages that are known to wait so long are therefore left where they are. Results need none of
//! this: they lie beside their message already.

mod consumer;
mod payload;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use protocol::TaskMeta;

use crate::{Broker, BrokerLayer, Consumer, ConsumerParams, Publish, Result, ResultBackend};
use consumer::ClaimConsumer;
use payload::claim;

/// A broker whose large messages have their bodies in a result backend.
#[derive(Debug)]
pub struct ClaimChecks {
    broker: Arc<dyn Broker>,
    claims: Claims,
}

/// Where payloads lie, and which.
#[derive(Clone, Debug)]
struct Claims {
    results: Arc<dyn ResultBackend>,
    threshold: usize,
    lifetime: Option<Duration>,
}

impl ClaimChecks {
    /// Bodies with more than `threshold` bytes go into `results`, which keeps them for `lifetime`; `None` is for ever.
    pub fn new(
        broker: Arc<dyn Broker>,
        results: Arc<dyn ResultBackend>,
        threshold: usize,
        lifetime: Option<Duration>,
    ) -> Self {
        let claims = Claims {
            results,
            threshold,
            lifetime,
        };
        Self { broker, claims }
    }
}

impl Claims {
    /// Leaves references in place of the large bodies among these; returns what is to be stored before they are published.
    fn take_from(&self, batch: &mut [Publish]) -> Vec<TaskMeta> {
        let large = |publish: &mut Publish| {
            let message = &mut publish.message;
            claim(message, self.threshold, self.lifetime)
        };
        batch.iter_mut().filter_map(large).collect()
    }

    async fn store(&self, payloads: Vec<TaskMeta>) -> Result<()> {
        if !payloads.is_empty() {
            self.results.store(payloads).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl BrokerLayer for ClaimChecks {
    fn below(&self) -> &dyn Broker {
        &*self.broker
    }

    async fn publish(&self, mut batch: Vec<Publish>) -> Result<()> {
        let payloads = self.claims.take_from(&mut batch);
        self.claims.store(payloads).await?;
        self.broker.publish(batch).await
    }

    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        let consumer = self.broker.consumer(params).await?;
        Ok(Arc::new(ClaimConsumer::new(consumer, self.claims.clone())))
    }
}

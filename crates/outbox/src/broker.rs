//! The broker with an outbox behind it.

use std::sync::Arc;
use std::time::Duration;

use ::broker::{Broker, BrokerError, BrokerLayer, ErrorKind, Publish, Result};
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Outbox, Sender};

/// A broker whose publications go into the outbox when it does not take them. Everything else is the broker's.
#[derive(Debug)]
pub struct OutboxBroker {
    broker: Arc<dyn Broker>,
    outbox: Arc<Outbox>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    _dropped: DropGuard,
}

impl OutboxBroker {
    /// Joins the two, and starts to send what waits. The sender ends with this value.
    pub fn start(broker: Arc<dyn Broker>, outbox: Arc<Outbox>) -> Arc<Self> {
        let stop = CancellationToken::new();
        let wake = Arc::new(Notify::new());
        let sender = Sender::new(Arc::clone(&outbox), Arc::clone(&broker));
        tokio::spawn(sender.run(Arc::clone(&wake), stop.clone()));
        Arc::new(Self {
            broker,
            outbox,
            wake,
            _dropped: stop.clone().drop_guard(),
            stop,
        })
    }

    /// The outbox.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Waits until nothing is left to be sent; `false` when something still is after this time.
    pub async fn flush(&self, patience: Duration) -> bool {
        self.wake.notify_one();
        let mut waits = self.outbox.waits();
        let emptied = waits.wait_for(|waits| !waits);
        tokio::time::timeout(patience, emptied).await.is_ok()
    }

    /// What the broker says of a publication; silence is an answer too.
    async fn try_publish(&self, batch: &[Publish]) -> Result<()> {
        let patience = self.outbox.options().timeout;
        let published = tokio::time::timeout(patience, self.broker.publish(batch.to_vec())).await;
        published.unwrap_or_else(|_| {
            let text = format!("the broker did not answer within {patience:?}");
            Err(BrokerError::new(ErrorKind::Unreachable, text))
        })
    }

    async fn store(&self, batch: &[Publish]) -> Result<()> {
        self.outbox.add(batch).await?;
        self.wake.notify_one();
        Ok(())
    }
}

#[async_trait]
impl BrokerLayer for OutboxBroker {
    fn below(&self) -> &dyn Broker {
        &*self.broker
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        if *self.outbox.waits().borrow() {
            return self.store(&batch).await;
        }
        match self.try_publish(&batch).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, path = %self.outbox.options().path.display(), "what is published waits in the outbox");
                self.store(&batch).await
            }
            published => published,
        }
    }

    async fn close(&self) {
        self.stop.cancel();
        self.broker.close().await;
    }
}

//! What a layer before a consumer leaves as it is.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Consumer, Delivery, Result, Settled, Settlement};

/// A consumer that takes and settles in its own way and leaves the rest to the one below.
#[async_trait]
pub trait ConsumerLayer: Send + Sync + fmt::Debug {
    /// The consumer below.
    fn below(&self) -> &dyn Consumer;

    /// As [`Consumer::reserve`].
    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>>;

    /// As [`Consumer::overlaps`]. A layer that says so has its own [`ConsumerLayer::reserve_behind`].
    fn overlaps(&self) -> bool {
        false
    }

    /// As [`Consumer::reserve_behind`].
    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        let _ = max;
        Ok(Vec::new())
    }

    /// As [`Consumer::settle`].
    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>>;
}

#[async_trait]
impl<L: ConsumerLayer> Consumer for L {
    fn incarnation(&self) -> &str {
        self.below().incarnation()
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        ConsumerLayer::reserve(self, max).await
    }

    fn overlaps(&self) -> bool {
        ConsumerLayer::overlaps(self)
    }

    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        ConsumerLayer::reserve_behind(self, max).await
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        ConsumerLayer::settle(self, batch).await
    }

    fn lease_age(&self) -> Duration {
        self.below().lease_age()
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        self.below().set_queues(queues).await
    }

    async fn close(&self) -> Result<usize> {
        self.below().close().await
    }
}

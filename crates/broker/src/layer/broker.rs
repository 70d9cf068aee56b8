//! What a layer before a broker leaves as it is.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use protocol::Message;

use crate::{
    Binding, Broker, Capabilities, Consumer, ConsumerParams, ExchangeKind, Publish, Result, Source,
    Subscription,
};

/// A broker that does some things in its own way and leaves the others to the one below.
#[async_trait]
pub trait BrokerLayer: Send + Sync + fmt::Debug {
    /// The broker below.
    fn below(&self) -> &dyn Broker;

    /// As [`Broker::capabilities`].
    fn capabilities(&self) -> Capabilities {
        self.below().capabilities()
    }

    /// As [`Broker::publish`].
    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        self.below().publish(batch).await
    }

    /// As [`Broker::consumer`].
    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        self.below().consumer(params).await
    }

    /// As [`Broker::broadcast`].
    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        self.below().broadcast(exchange, routing_key, message).await
    }

    /// As [`Broker::subscribe`].
    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        self.below().subscribe(source).await
    }

    /// As [`Broker::close`].
    async fn close(&self) {
        self.below().close().await;
    }
}

#[async_trait]
impl<L: BrokerLayer> Broker for L {
    fn capabilities(&self) -> Capabilities {
        BrokerLayer::capabilities(self)
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        BrokerLayer::publish(self, batch).await
    }

    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        BrokerLayer::consumer(self, params).await
    }

    async fn bind(&self, binding: Binding, kind: ExchangeKind) -> Result<()> {
        self.below().bind(binding, kind).await
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        BrokerLayer::broadcast(self, exchange, routing_key, message).await
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        BrokerLayer::subscribe(self, source).await
    }

    async fn close(&self) {
        BrokerLayer::close(self).await;
    }
}

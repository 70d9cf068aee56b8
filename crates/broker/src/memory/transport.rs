//! The transport seam on the shared state.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::Message;

use super::MemoryBroker;
use super::consumer::MemoryConsumer;
use super::envelope::Outgoing;
use super::feeds;
use super::shared::Broadcast;
use crate::{
    Binding, Broker, Capabilities, Consumer, ConsumerParams, ExchangeKind, Publish, Result, Route,
    Source, Subscription,
};

#[async_trait]
impl Broker for MemoryBroker {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            results_with_settlement: true,
            defers_on_server: true,
            low_priority_number_first: true,
            durable: false,
        }
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        self.shared.check_open()?;
        let (fanout, queued): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_fanout);
        let queued = Outgoing::encode_all(queued)?;
        self.shared
            .change(|state| queued.iter().for_each(|outgoing| state.deliver(outgoing)));
        for Publish { message, route } in fanout {
            self.broadcast(route.exchange(), route.routing_key(), message)
                .await?;
        }
        Ok(())
    }

    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        self.shared.check_open()?;
        Ok(Arc::new(MemoryConsumer::open(self.shared.clone(), params)))
    }

    async fn bind(&self, binding: Binding, kind: ExchangeKind) -> Result<()> {
        self.shared.check_open()?;
        kind.check_stores()?;
        let Binding {
            queue,
            exchange,
            routing_key,
        } = &binding;
        self.shared
            .change(|state| state.bindings.bind(exchange, routing_key, queue));
        Ok(())
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        self.shared.check_open()?;
        let broadcast = Broadcast {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            message,
        };
        // An error means that nobody listens, which is fine for a broadcast.
        self.shared.broadcasts.send(broadcast).ok();
        Ok(())
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        self.shared.check_open()?;
        Ok(feeds::subscribe(self.shared.clone(), source))
    }

    async fn close(&self) {
        self.shared.closed.cancel();
    }
}

fn is_fanout(publish: &Publish) -> bool {
    matches!(
        &publish.route,
        Route::Exchange {
            kind: ExchangeKind::Fanout,
            ..
        }
    )
}

//! Settlements with results on another server: the contract of [`Settlement`] for a broker that cannot keep it alone.
//!
//! Two servers share no transaction. The order here is: ask the broker which tags are still held, write the results and chords of
//! those, then settle. A crash in between leaves the message held, so its task runs again and stores again: nothing is
//! lost, and a stale worker's result is refused unless its lease runs out between the question and the store.

mod members;
mod settling;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use protocol::{Message, TaskMeta};
use tokio::sync::mpsc;

use crate::{
    Binding, Broker, Capabilities, Consumer, ConsumerParams, Delivery, ExchangeKind, Notice,
    Publish, Result, ResultBackend, Settled, Settlement, Source, Subscription,
};
use members::{Members, keeps};
use settling::{Settling, store};

const NOTICES: usize = 256;

/// A broker whose consumers store results in a backend of their own.
#[derive(Debug)]
pub struct SplitResults {
    broker: Arc<dyn Broker>,
    results: Arc<dyn ResultBackend>,
}

impl SplitResults {
    /// Joins the two. [`Capabilities`] stay the broker's: the store is not atomic with the settlement.
    pub fn new(broker: Arc<dyn Broker>, results: Arc<dyn ResultBackend>) -> Self {
        Self { broker, results }
    }
}

#[async_trait]
impl Broker for SplitResults {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            results_with_settlement: false,
            ..self.broker.capabilities()
        }
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        self.broker.publish(batch).await
    }

    async fn consumer(&self, mut params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        let (sender, notices) = mpsc::channel(NOTICES);
        let outer = std::mem::replace(&mut params.notices, sender);
        let consumer = self.broker.consumer(params).await?;
        tokio::spawn(pass_notices(notices, outer, self.results.clone()));
        Ok(Arc::new(SplitConsumer {
            consumer,
            results: self.results.clone(),
            members: Members::default(),
        }))
    }

    async fn bind(&self, binding: Binding, kind: ExchangeKind) -> Result<()> {
        self.broker.bind(binding, kind).await
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        self.broker.broadcast(exchange, routing_key, message).await
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        self.broker.subscribe(source).await
    }

    async fn close(&self) {
        self.broker.close().await;
    }
}

#[derive(Debug)]
struct SplitConsumer {
    consumer: Arc<dyn Consumer>,
    results: Arc<dyn ResultBackend>,
    members: Members,
}

#[async_trait]
impl Consumer for SplitConsumer {
    fn incarnation(&self) -> &str {
        self.consumer.incarnation()
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        let taken = self.consumer.reserve(max).await?;
        self.members.note(&taken);
        Ok(taken)
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        let settling = Settling {
            consumer: &*self.consumer,
            results: &*self.results,
            members: &self.members,
            outcome: vec![Settled::Refused; batch.len()],
        };
        let tags = batch.iter();
        let tags: Vec<_> = tags
            .map(|one| (one.tag.clone(), keeps(&one.verdict)))
            .collect();
        let outcome = settling.run(batch).await?;
        for ((tag, keeps), settled) in tags.iter().zip(&outcome) {
            self.members.forget(tag, *keeps, *settled);
        }
        Ok(outcome)
    }

    fn lease_age(&self) -> Duration {
        self.consumer.lease_age()
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        self.consumer.set_queues(queues).await
    }

    async fn close(&self) -> Result<usize> {
        self.consumer.close().await
    }
}

/// Passes notices on; what was lost is stored first, since the broker could not do that.
async fn pass_notices(
    mut notices: mpsc::Receiver<Notice>,
    outer: mpsc::Sender<Notice>,
    results: Arc<dyn ResultBackend>,
) {
    while let Some(notice) = notices.recv().await {
        if let Notice::Lost { meta } = &notice
            && let Err(error) = store_lost(&*results, meta).await
        {
            tracing::error!(task_id = %meta.task_id, %error, "the loss of a run cannot be stored");
        }
        if outer.try_send(notice).is_err() {
            tracing::warn!("a notice was dropped: nobody reads the notices fast enough");
        }
    }
}

/// A run that had ended before its worker died was not lost.
async fn store_lost(results: &dyn ResultBackend, meta: &TaskMeta) -> Result<()> {
    let stored = results.fetch(std::slice::from_ref(&meta.task_id)).await?;
    if stored
        .into_iter()
        .flatten()
        .any(|stored| stored.status.is_ready())
    {
        return Ok(());
    }
    store(results, vec![meta.clone()]).await
}

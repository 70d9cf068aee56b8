//! Settlements with results on another server: the contract of [`Settlement`] for a broker that cannot keep it alone.
//!
//! Two servers share no transaction. The order here is: ask the broker which tags are still held, store the metas of
//! those, then settle. A crash in between leaves the message held, so its task runs again and stores again: nothing is
//! lost, and a stale worker's result is refused unless its lease runs out between the question and the store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use protocol::{Message, TaskMeta};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::{
    Broker, Capabilities, Consumer, ConsumerParams, Delivery, Notice, Publish, Result,
    ResultBackend, Settled, Settlement, Source, Subscription, Verdict,
};

const NOTICES: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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
        }))
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
}

#[async_trait]
impl Consumer for SplitConsumer {
    fn incarnation(&self) -> &str {
        self.consumer.incarnation()
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        self.consumer.reserve(max).await
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        let held = self.check_held(&batch).await?;
        let (metas, remaining) = split(batch, &held);
        store(&*self.results, metas).await?;
        let settled = match remaining.is_empty() {
            true => Vec::new(),
            false => self.consumer.settle(remaining).await?,
        };
        let mut settled = settled.into_iter();
        Ok(held
            .into_iter()
            .map(|held| if held { settled.next() } else { None }.unwrap_or(Settled::Refused))
            .collect())
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        self.consumer.set_queues(queues).await
    }

    async fn close(&self) -> Result<usize> {
        self.consumer.close().await
    }
}

impl SplitConsumer {
    /// Whether each settlement may go on: those that store something only if their tag is still held.
    async fn check_held(&self, batch: &[Settlement]) -> Result<Vec<bool>> {
        let storing = batch.iter().filter(|settlement| settlement.store.is_some());
        let questions: Vec<_> = storing
            .map(|one| Settlement::new(one.tag.clone(), Verdict::Keep))
            .collect();
        if questions.is_empty() {
            return Ok(vec![true; batch.len()]);
        }
        let mut answers = self.consumer.settle(questions).await?.into_iter();
        let may_go_on = batch.iter().map(|settlement| match settlement.store {
            Some(_) => answers.next() == Some(Settled::Done),
            None => true,
        });
        Ok(may_go_on.collect())
    }
}

/// Takes the metas out of those that go on.
fn split(batch: Vec<Settlement>, held: &[bool]) -> (Vec<TaskMeta>, Vec<Settlement>) {
    let mut metas = Vec::new();
    let mut remaining = Vec::new();
    for (mut settlement, _) in batch.into_iter().zip(held).filter(|(_, held)| **held) {
        metas.extend(settlement.store.take());
        remaining.push(settlement);
    }
    (metas, remaining)
}

/// Stores and waits through outages, since the messages stay held meanwhile.
async fn store(results: &dyn ResultBackend, metas: Vec<TaskMeta>) -> Result<()> {
    if metas.is_empty() {
        return Ok(());
    }
    let mut pause = FIRST_PAUSE;
    loop {
        match results.store(metas.clone()).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "results cannot be stored, trying again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => return outcome.map(drop),
        }
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

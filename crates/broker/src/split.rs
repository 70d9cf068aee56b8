//! Settlements with results on another server: the contract of [`Settlement`] for a broker that cannot keep it alone.
//!
//! Two servers share no transaction. The order here is: ask the broker which tags are still held, write the results and chords of
//! those, then settle. A crash in between leaves the message held, so its task runs again and stores again: nothing is
//! lost, and a stale worker's result is refused unless its lease runs out between the question and the store.

mod members;
mod settling;

use std::sync::Arc;

use async_trait::async_trait;
use protocol::TaskMeta;
use tokio::sync::mpsc;

use crate::{
    Broker, BrokerLayer, Capabilities, Consumer, ConsumerLayer, ConsumerParams, Delivery, Notice,
    Result, ResultBackend, Settled, Settlement,
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
impl BrokerLayer for SplitResults {
    fn below(&self) -> &dyn Broker {
        &*self.broker
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            results_with_settlement: false,
            ..self.broker.capabilities()
        }
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
}

#[derive(Debug)]
struct SplitConsumer {
    consumer: Arc<dyn Consumer>,
    results: Arc<dyn ResultBackend>,
    members: Members,
}

#[async_trait]
impl ConsumerLayer for SplitConsumer {
    fn below(&self) -> &dyn Consumer {
        &*self.consumer
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        let taken = self.consumer.reserve(max).await?;
        self.members.note(&taken);
        Ok(taken)
    }

    fn overlaps(&self) -> bool {
        self.consumer.overlaps()
    }

    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        let taken = self.consumer.reserve_behind(max).await?;
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

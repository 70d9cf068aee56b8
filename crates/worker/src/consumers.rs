//! The worker's consumer, which can be replaced while the worker runs: a new one reserves, and those before it go on settling what
//! they hold until nothing of it is left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use async_trait::async_trait;
use broker::{Broker, Consumer, ConsumerParams, Delivery, Result, Settled, Settlement, Tag};
use tokio::sync::Notify;
use tracing::warn;

use crate::handover::{Handover, Mark};

/// A consumer that can be replaced.
#[derive(Debug)]
pub(crate) struct Consumers {
    broker: Arc<dyn Broker>,
    params: Mutex<ConsumerParams>,
    /// The name of the first; those that follow it have names of their own.
    name: String,
    current: Mutex<Arc<dyn Consumer>>,
    retired: Mutex<Vec<Retired>>,
    replaced: Notify,
}

/// A consumer that was replaced.
#[derive(Debug)]
struct Retired {
    consumer: Arc<dyn Consumer>,
    /// What had been handed over when nothing of it ran any more.
    idle_since: Option<Mark>,
}

impl Retired {
    /// Nothing of it runs, and what has run is settled.
    fn is_done(&mut self, runs: impl Fn(&dyn Consumer) -> bool, handover: &Handover) -> bool {
        if runs(&*self.consumer) {
            self.idle_since = None;
            return false;
        }
        let mark = self.idle_since.get_or_insert_with(|| handover.mark());
        handover.has_passed(*mark)
    }
}

impl Consumers {
    /// Opens the first consumer.
    pub(crate) async fn open(broker: Arc<dyn Broker>, params: ConsumerParams) -> Result<Self> {
        let first = broker.consumer(params.clone()).await?;
        Ok(Self {
            broker,
            params: Mutex::new(params),
            name: first.incarnation().to_owned(),
            current: Mutex::new(first),
            retired: Mutex::default(),
            replaced: Notify::new(),
        })
    }

    /// The queues that are consumed.
    pub(crate) fn queues(&self) -> Vec<String> {
        lock(&self.params).queues.clone()
    }

    /// Reserves with a new consumer from now on, reservations under way included.
    pub(crate) async fn replace(&self) -> Result<()> {
        let params = lock(&self.params).clone();
        let fresh = self.broker.consumer(params).await?;
        let before = std::mem::replace(&mut *lock(&self.current), fresh);
        lock(&self.retired).push(Retired {
            consumer: before,
            idle_since: None,
        });
        self.replaced.notify_waiters();
        Ok(())
    }

    /// Closes the replaced consumers of which nothing runs, as soon as what has run is settled. What one of them still held goes back
    /// to its queue.
    pub(crate) async fn close_idle(
        &self,
        runs: impl Fn(&dyn Consumer) -> bool,
        handover: &Handover,
    ) {
        let idle: Vec<_> = lock(&self.retired)
            .extract_if(.., |retired| retired.is_done(&runs, handover))
            .collect();
        for Retired { consumer, .. } in idle {
            match consumer.close().await {
                Ok(given_back) => warn!(given_back, "the replaced consumer is closed"),
                Err(error) => {
                    warn!(%error, "the replaced consumer cannot be closed; its lease runs out")
                }
            }
        }
    }

    fn current(&self) -> Arc<dyn Consumer> {
        Arc::clone(&lock(&self.current))
    }

    /// Settles with the consumers that hold the messages; there is more than one only after a replacement. What one of them cannot
    /// settle is answered as impossible: whoever asks for it alone is told why, and the answers of the others are not lost.
    async fn settle_by_owner(
        &self,
        owners: Vec<Arc<dyn Consumer>>,
        batch: Vec<Settlement>,
    ) -> Result<Vec<Settled>> {
        let mut answers = vec![Settled::Impossible; batch.len()];
        let mut shares: Vec<(Vec<usize>, Vec<Settlement>)> = vec![Default::default(); owners.len()];
        for (place, settlement) in batch.into_iter().enumerate() {
            let owner = owners
                .iter()
                .position(|consumer| owns(&**consumer, &settlement.tag));
            // What none of the replaced ones holds is the present one's, which comes last.
            let share = &mut shares[owner.unwrap_or(owners.len() - 1)];
            share.0.push(place);
            share.1.push(settlement);
        }
        for (owner, (places, share)) in owners.iter().zip(shares) {
            if share.is_empty() {
                continue;
            }
            match owner.settle(share).await {
                Ok(settled) => places
                    .into_iter()
                    .zip(settled)
                    .for_each(|(place, settled)| answers[place] = settled),
                Err(error) if answers.len() == 1 => return Err(error),
                Err(error) => {
                    warn!(%error, messages = places.len(), "a part of a batch of settlements was refused")
                }
            }
        }
        Ok(answers)
    }
}

#[async_trait]
impl Consumer for Consumers {
    fn incarnation(&self) -> &str {
        &self.name
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        loop {
            // Before the look at who is present, so that no replacement is missed between.
            let replaced = self.replaced.notified();
            let current = self.current();
            tokio::select! {
                reserved = current.reserve(max) => return reserved,
                () = replaced => {}
            }
        }
    }

    fn overlaps(&self) -> bool {
        self.current().overlaps()
    }

    async fn reserve_behind(&self, max: usize) -> Result<Vec<Delivery>> {
        let replaced = self.replaced.notified();
        let current = self.current();
        tokio::select! {
            reserved = current.reserve_behind(max) => reserved,
            () = replaced => Ok(Vec::new()),
        }
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        let retired = |retired: &Retired| Arc::clone(&retired.consumer);
        let mut owners: Vec<_> = lock(&self.retired).iter().map(retired).collect();
        if owners.is_empty() {
            return self.current().settle(batch).await;
        }
        owners.push(self.current());
        self.settle_by_owner(owners, batch).await
    }

    fn lease_age(&self) -> Duration {
        self.current().lease_age()
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        lock(&self.params).queues.clone_from(&queues);
        self.current().set_queues(queues).await
    }

    async fn close(&self) -> Result<usize> {
        let mut given_back = 0;
        let retired = std::mem::take(&mut *lock(&self.retired));
        for Retired { consumer, .. } in retired {
            given_back += consumer.close().await?;
        }
        Ok(given_back + self.current().close().await?)
    }
}

/// Whether the tag is of this consumer.
pub(crate) fn owns(consumer: &dyn Consumer, tag: &Tag) -> bool {
    tag.as_str().starts_with(consumer.incarnation())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use broker::faults::{Call, inject};
    use broker::{ErrorKind, MemoryBroker, QueueOrder, Verdict};
    use client::{Client, ClientOptions};
    use protocol::Limits;
    use tokio::sync::mpsc;

    use super::*;

    fn params() -> ConsumerParams {
        ConsumerParams {
            node: "w1@test".to_owned(),
            queues: vec!["celery".to_owned()],
            order: QueueOrder::default(),
            lease: Duration::from_secs(30),
            visibility_timeout: Duration::from_secs(3_600),
            limits: Limits::default(),
            notices: mpsc::channel(8).0,
        }
    }

    #[tokio::test]
    async fn what_one_owner_cannot_settle_leaves_the_answers_of_the_others() {
        let (backends, faults) = inject(MemoryBroker::new().backends());
        let broker = Arc::clone(&backends.broker);
        let client = Client::new(backends, ClientOptions::default());
        let consumers = Consumers::open(broker, params()).await.unwrap();
        let mut batch = Vec::new();
        for _ in 0..2 {
            client.task::<()>("t").send().await.unwrap();
            let delivery = consumers.reserve(1).await.unwrap().remove(0);
            batch.push(Settlement::new(delivery.tag, Verdict::Ack));
            consumers.replace().await.unwrap();
        }
        faults.fail_next(Call::Settle, 1, ErrorKind::Invalid);
        let settled = consumers.settle(batch.clone()).await.unwrap();
        assert_eq!(settled, [Settled::Impossible, Settled::Done]);
        let alone = consumers.settle(batch[..1].to_vec()).await.unwrap();
        assert_eq!(alone, [Settled::Done]);
        faults.fail_next(Call::Settle, 1, ErrorKind::Invalid);
        let again = consumers.settle(batch[..1].to_vec()).await;
        assert_eq!(again.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

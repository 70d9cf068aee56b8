//! A consumer that gets the payloads of what it takes, and deletes those of what is done.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use protocol::TaskMeta;

use super::Claims;
use super::payload::{name, redeem};
use crate::{
    BrokerError, Consumer, ConsumerLayer, Delivery, ErrorKind, Publish, Result, Settled,
    Settlement, Tag, Verdict,
};

/// A part of the content type of references that no JSON writer escapes.
const MARK: &str = "celeriac-claim";
/// Between two tries during an outage.
const PAUSE: Duration = Duration::from_millis(200);

/// Joins a consumer with the payloads.
#[derive(Debug)]
pub(super) struct ClaimConsumer {
    consumer: Arc<dyn Consumer>,
    claims: Claims,
    /// What was taken for a call that was dropped before it had the payloads.
    taken: tokio::sync::Mutex<Vec<Delivery>>,
    /// The payloads of messages that are held here.
    held: Mutex<HashMap<Tag, String>>,
}

impl ClaimConsumer {
    pub(super) fn new(consumer: Arc<dyn Consumer>, claims: Claims) -> Self {
        Self {
            consumer,
            claims,
            taken: tokio::sync::Mutex::default(),
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Tag, String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the bodies back, all of them with one question. What has no payload any more keeps its reference.
    async fn redeem_all(&self, taken: &mut [Delivery]) -> Result<()> {
        let names: Vec<String> = taken.iter().filter_map(claimed).collect();
        if names.is_empty() {
            return Ok(());
        }
        let mut payloads = self.payloads(&names).await?.into_iter();
        for delivery in taken {
            let Some(name) = claimed(delivery) else {
                continue;
            };
            let payload = payloads.next().flatten();
            if let (Ok(message), Some(payload)) = (&mut *delivery.message, payload) {
                redeem(message, payload);
            }
            self.held().insert(delivery.tag.clone(), name);
        }
        Ok(())
    }

    /// The payloads of these names. One that cannot be read spoils no other.
    async fn payloads(&self, names: &[String]) -> Result<Vec<Option<TaskMeta>>> {
        let results = &self.claims.results;
        let together = patiently(|| results.fetch(names)).await;
        if !together.as_ref().is_err_and(is_corrupt) {
            return together;
        }
        let mut payloads = Vec::with_capacity(names.len());
        for name in names.chunks(1) {
            payloads.push(match patiently(|| results.fetch(name)).await {
                Err(error) if is_corrupt(&error) => {
                    tracing::error!(?name, %error, "the payload of a message cannot be read");
                    None
                }
                payload => payload?.pop().flatten(),
            });
        }
        Ok(payloads)
    }

    fn take_from(&self, batch: &mut [Settlement]) -> Vec<TaskMeta> {
        let mut payloads = Vec::new();
        for settlement in batch {
            payloads.extend(self.claims.take_from(&mut settlement.publish));
            for call in &mut settlement.calls {
                payloads.extend(self.claims.take_from(&mut call.publish));
            }
        }
        payloads
    }

    /// Notes what happens to held messages; returns the payloads that nobody needs if their settlements are carried out.
    fn finished(&self, batch: &[Settlement]) -> Vec<Option<String>> {
        let mut held = self.held();
        if held.is_empty() {
            return vec![None; batch.len()];
        }
        let finished = |settlement: &Settlement| {
            let name = match settlement.verdict {
                Verdict::Keep | Verdict::AckEarly { .. } => return None,
                _ => held.remove(&settlement.tag)?,
            };
            let done = matches!(settlement.verdict, Verdict::Ack);
            (done && !published_again(settlement, &name)).then_some(name)
        };
        batch.iter().map(finished).collect()
    }

    async fn forget(&self, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        if let Err(error) = self.claims.results.forget(&names).await {
            tracing::debug!(%error, "payloads of messages are left to expire");
        }
    }
}

fn is_corrupt(error: &BrokerError) -> bool {
    error.kind() == ErrorKind::Corrupt
}

/// Tries until it is done: a consumer waits through outages.
async fn patiently<T, F: Future<Output = Result<T>>>(mut step: impl FnMut() -> F) -> Result<T> {
    loop {
        match step().await {
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "waiting for the payloads of messages");
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

fn claimed(delivery: &Delivery) -> Option<String> {
    let message = &delivery.message;
    let refers = message.may_have(MARK);
    refers.then(|| name(message.as_ref().ok()?)).flatten()
}

/// Whether a message that goes out needs the payload: a retry has its task's id.
fn published_again(settlement: &Settlement, payload: &str) -> bool {
    let needs = |publish: &Publish| name(&publish.message).is_some_and(|name| name == payload);
    settlement.publish.iter().any(needs)
}

#[async_trait]
impl ConsumerLayer for ClaimConsumer {
    fn below(&self) -> &dyn Consumer {
        &*self.consumer
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        let mut taken = self.taken.lock().await;
        if taken.is_empty() {
            *taken = self.consumer.reserve(max).await?;
        }
        self.redeem_all(&mut taken).await?;
        let most = max.min(taken.len());
        Ok(taken.drain(..most).collect())
    }

    async fn settle(&self, mut batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        let payloads = self.take_from(&mut batch);
        patiently(|| self.claims.store(payloads.clone())).await?;
        let tags: Vec<Tag> = batch
            .iter()
            .map(|settlement| settlement.tag.clone())
            .collect();
        let finished = self.finished(&batch);
        let outcome = self.consumer.settle(batch).await?;
        let mut needless = HashSet::new();
        for ((tag, name), settled) in tags.into_iter().zip(finished).zip(&outcome) {
            let Some(name) = name else { continue };
            match settled {
                Settled::Done => {
                    needless.insert(name);
                }
                Settled::Complete | Settled::Claimed | Settled::Impossible => {
                    self.held().insert(tag, name);
                }
                // Somebody else may hold the message now.
                Settled::Refused | Settled::Uncertain => {}
            }
        }
        self.forget(needless.into_iter().collect()).await;
        Ok(outcome)
    }
}

//! The wrapped seams: each call passes the switch, then goes on as it is.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use protocol::{Message, TaskMeta, Value};

use super::{Call, Faults};
use crate::{
    Broker, BrokerLayer, ChordPart, ChordParts, ChordStore, Commit, Consumer, ConsumerLayer,
    ConsumerParams, Coordinator, CoordinatorLayer, Counted, Delivery, Fence, NewChord, Publish,
    Result, ResultBackend, ResultStream, Settled, Settlement, Source, Stored, Subscription,
};

macro_rules! decorator {
    ($name:ident wraps $seam:ident) => {
        #[derive(Debug)]
        pub(super) struct $name {
            inner: Arc<dyn $seam>,
            faults: Faults,
        }

        impl $name {
            pub(super) fn new(inner: Arc<dyn $seam>, faults: Faults) -> Self {
                Self { inner, faults }
            }
        }
    };
}

decorator!(FaultyBroker wraps Broker);
/// As the others; a consumer also knows when it was opened.
#[derive(Debug)]
pub(super) struct FaultyConsumer {
    inner: Arc<dyn Consumer>,
    faults: Faults,
    opened: usize,
}

decorator!(FaultyCoordinator wraps Coordinator);
decorator!(FaultyResults wraps ResultBackend);

#[async_trait]
impl BrokerLayer for FaultyBroker {
    fn below(&self) -> &dyn Broker {
        &*self.inner
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        self.faults.pass(Call::Publish).await?;
        self.inner.publish(batch).await
    }

    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        self.faults.pass(Call::Consumer).await?;
        let consumer = self.inner.consumer(params).await?;
        Ok(Arc::new(FaultyConsumer {
            inner: consumer,
            faults: self.faults.clone(),
            opened: self.faults.calls(Call::Consumer),
        }))
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        self.faults.pass(Call::Broadcast).await?;
        self.inner.broadcast(exchange, routing_key, message).await
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        self.faults.pass(Call::Subscribe).await?;
        self.inner.subscribe(source).await
    }
}

#[async_trait]
impl ConsumerLayer for FaultyConsumer {
    fn below(&self) -> &dyn Consumer {
        &*self.inner
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        self.faults.pass(Call::Reserve).await?;
        tokio::select! {
            biased;
            () = self.faults.deafened(self.opened) => pending().await,
            reserved = self.inner.reserve(max) => reserved,
        }
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        self.faults.pass(Call::Settle).await?;
        self.inner.settle(batch).await
    }
}

#[async_trait]
impl CoordinatorLayer for FaultyCoordinator {
    fn below(&self) -> &dyn Coordinator {
        &*self.inner
    }

    async fn now(&self) -> Result<Timestamp> {
        self.faults.pass(Call::Now).await?;
        self.inner.now().await
    }

    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        self.faults.pass(Call::Acquire).await?;
        self.inner.acquire(lease, owner, ttl).await
    }

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        self.faults.pass(Call::Load).await?;
        self.inner.load(space).await
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        self.faults.pass(Call::Load).await?;
        self.inner.fetch(space, keys).await
    }

    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        self.faults.pass(Call::Remember).await?;
        self.inner.remember(space, texts, keep).await
    }

    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        self.faults.pass(Call::Remembered).await?;
        self.inner.remembered(space).await
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        self.faults.pass(Call::Commit).await?;
        self.inner.commit(commit).await
    }
}

#[async_trait]
impl ResultBackend for FaultyResults {
    async fn store(&self, metas: Vec<TaskMeta>) -> Result<Vec<Stored>> {
        self.faults.pass(Call::Store).await?;
        self.inner.store(metas).await
    }

    async fn fetch(&self, task_ids: &[String]) -> Result<Vec<Option<TaskMeta>>> {
        self.faults.pass(Call::Fetch).await?;
        self.inner.fetch(task_ids).await
    }

    async fn watch(&self, task_ids: Vec<String>) -> Result<ResultStream> {
        self.inner.watch(task_ids).await
    }

    async fn forget(&self, task_ids: &[String]) -> Result<()> {
        self.inner.forget(task_ids).await
    }

    async fn save_group(&self, group_id: &str, result: Value) -> Result<()> {
        self.inner.save_group(group_id, result).await
    }

    async fn restore_group(&self, group_id: &str) -> Result<Option<Value>> {
        self.inner.restore_group(group_id).await
    }

    async fn forget_group(&self, group_id: &str) -> Result<()> {
        self.inner.forget_group(group_id).await
    }

    async fn cleanup(&self) -> Result<u64> {
        self.inner.cleanup().await
    }

    fn supports_autoexpire(&self) -> bool {
        self.inner.supports_autoexpire()
    }
}

#[async_trait]
impl ChordStore for FaultyResults {
    fn joins_chords(&self) -> bool {
        self.inner.joins_chords()
    }

    async fn open_chords(&self, chords: Vec<NewChord>) -> Result<()> {
        self.faults.pass(Call::OpenChords).await?;
        self.inner.open_chords(chords).await
    }

    async fn grow_chord(&self, group_id: &str, members: u32, by: &str) -> Result<()> {
        self.faults.pass(Call::GrowChord).await?;
        self.inner.grow_chord(group_id, members, by).await
    }

    async fn count_part(&self, part: ChordPart, token: &str) -> Result<Counted> {
        self.faults.pass(Call::CountPart).await?;
        self.inner.count_part(part, token).await
    }

    async fn chord_parts(&self, group_id: &str) -> Result<ChordParts> {
        self.faults.pass(Call::ChordParts).await?;
        self.inner.chord_parts(group_id).await
    }

    async fn hold_chord(&self, group_id: &str, token: &str) -> Result<Option<String>> {
        self.faults.pass(Call::HoldChord).await?;
        self.inner.hold_chord(group_id, token).await
    }

    async fn finish_chord(&self, group_id: &str, token: &str) -> Result<bool> {
        self.faults.pass(Call::FinishChord).await?;
        self.inner.finish_chord(group_id, token).await
    }
}

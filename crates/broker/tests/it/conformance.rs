//! The suite on the memory broker, as it is and with its results split off.

use async_trait::async_trait;
use broker::conformance::{
    Harness, Instance, exercise_admin, exercise_broker, exercise_coordinator, exercise_results,
};
use broker::{Backends, MemoryBroker, ResultPolicy};
use bytes::Bytes;

struct Memory;

struct MemoryInstance(MemoryBroker);

#[async_trait]
impl Harness for Memory {
    async fn fresh(&self, policy: ResultPolicy) -> Box<dyn Instance> {
        Box::new(MemoryInstance(MemoryBroker::with_policy(policy)))
    }
}

#[async_trait]
impl Instance for MemoryInstance {
    fn backends(&self) -> Backends {
        self.0.backends()
    }

    async fn publish_raw(&self, queue: &str, raw: Bytes) {
        self.0.publish_raw(queue, raw);
    }

    async fn expire_lease(&self, incarnation: &str) {
        assert!(
            self.0.expire_lease(incarnation),
            "the incarnation has a lease"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_a_broker() {
    exercise_broker(Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_a_result_backend() {
    exercise_results(Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_a_coordinator() {
    exercise_coordinator(Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_has_an_admin_side() {
    exercise_admin(Memory).await;
}

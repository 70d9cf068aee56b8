//! Results on another server: the broker suite holds, and an outage of that server loses nothing.

use std::sync::Arc;

use async_trait::async_trait;
use broker::conformance::{Harness, Instance, exercise_broker};
use broker::faults::{Call, Faults, inject};
use broker::{
    Backends, ErrorKind, MemoryBroker, ResultPolicy, Settled, Settlement, SplitResults, Verdict,
};
use bytes::Bytes;
use protocol::{State, TaskMeta, Value};

use super::{params, publish};

/// Transport in one memory, results in another.
struct Split {
    transport: MemoryBroker,
    results: MemoryBroker,
}

impl Split {
    fn new(policy: ResultPolicy) -> Self {
        Self {
            transport: MemoryBroker::new(),
            results: MemoryBroker::with_policy(policy),
        }
    }

    fn join(&self, results: Backends) -> Backends {
        let transport = self.transport.backends();
        let store = results.results.clone().unwrap();
        Backends {
            broker: Arc::new(SplitResults::new(transport.broker, store)),
            results: results.results,
            ..self.transport.backends()
        }
    }
}

struct SplitHarness;

#[async_trait]
impl Harness for SplitHarness {
    async fn fresh(&self, policy: ResultPolicy) -> Box<dyn Instance> {
        Box::new(Split::new(policy))
    }
}

#[async_trait]
impl Instance for Split {
    fn backends(&self) -> Backends {
        self.join(self.results.backends())
    }

    async fn publish_raw(&self, queue: &str, raw: Bytes) {
        self.transport.publish_raw(queue, raw);
    }

    async fn expire_lease(&self, incarnation: &str) {
        assert!(
            self.transport.expire_lease(incarnation),
            "the incarnation has a lease"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn split_results_keep_the_brokers_contract() {
    exercise_broker(SplitHarness).await;
}

/// A broker with one held message, and the settlement that ends it.
async fn held() -> (Split, Faults, Arc<dyn broker::Consumer>, Settlement) {
    let split = Split::new(ResultPolicy::default());
    let (results, faults) = inject(split.results.backends());
    let backends = split.join(results);
    let (params, _) = params("q");
    let consumer = backends.broker.consumer(params).await.unwrap();
    backends
        .broker
        .publish(vec![publish("q", "a")])
        .await
        .unwrap();
    let delivery = consumer.reserve(1).await.unwrap().remove(0);
    let store = Some(TaskMeta::new("a", State::Success, Value::Null));
    let settlement = Settlement {
        store,
        ..Settlement::new(delivery.tag, Verdict::Ack)
    };
    (split, faults, consumer, settlement)
}

#[tokio::test]
async fn an_outage_of_the_result_server_is_waited_through() {
    let (split, faults, consumer, settlement) = held().await;
    faults.fail_next(Call::Store, 2, ErrorKind::Unreachable);
    assert_eq!(
        consumer.settle(vec![settlement]).await.unwrap(),
        [Settled::Done]
    );
    assert_eq!(faults.calls(Call::Store), 3);
    let fetched = split
        .results
        .backends()
        .results
        .unwrap()
        .fetch(&["a".to_owned()])
        .await
        .unwrap();
    assert_eq!(
        fetched[0].as_ref().map(|meta| &meta.status),
        Some(&State::Success)
    );
}

#[tokio::test]
async fn a_result_that_cannot_be_stored_leaves_the_message_held() {
    let (_split, faults, consumer, settlement) = held().await;
    faults.fail_next(Call::Store, 1, ErrorKind::Denied);
    assert_eq!(
        consumer.settle(vec![settlement]).await.unwrap_err().kind(),
        ErrorKind::Denied
    );
    assert_eq!(consumer.close().await.unwrap(), 1, "it is given back");
}

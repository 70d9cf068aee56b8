//! Results on another server: the broker suite holds, and an outage of that server loses nothing.

use std::sync::Arc;

use async_trait::async_trait;
use broker::conformance::{Harness, Instance, exercise_broker};
use broker::faults::{Call, Faults, inject};
use broker::{
    Backends, ChordPart, ErrorKind, MemoryBroker, NewChord, ResultPolicy, Settled, Settlement,
    SplitResults, Verdict,
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

/// The settlement of the last member of a chord, which is open on the results' server.
async fn last_member(split: &Split, settlement: &Settlement) -> Settlement {
    let chord = NewChord {
        group_id: "g".to_owned(),
        size: 1,
        header: None,
    };
    let results = split.results.backends().results.unwrap();
    results.open_chords(vec![chord]).await.unwrap();
    let mut settlement = settlement.clone();
    settlement.effects_mut().count = Some(ChordPart {
        group_id: "g".to_owned(),
        task_id: "a".to_owned(),
        group_index: None,
        state: State::Success,
        result: Value::Null,
    });
    settlement
}

#[tokio::test]
async fn an_outage_while_a_chord_is_counted_and_ended_is_waited_through() {
    let (split, faults, consumer, settlement) = held().await;
    let counting = last_member(&split, &settlement).await;
    let calls = [Call::CountPart, Call::HoldChord, Call::FinishChord];
    for call in calls {
        faults.fail_next(call, 2, ErrorKind::Unreachable);
    }
    let settled = consumer.settle(vec![counting]).await.unwrap();
    assert_eq!(settled, [Settled::Complete]);
    let mut finishing = settlement;
    finishing.effects_mut().finish.push("g".to_owned());
    let settled = consumer.settle(vec![finishing]).await.unwrap();
    assert_eq!(settled, [Settled::Done]);
    assert_eq!(calls.map(|call| faults.calls(call)), [3; 3]);
    let results = split.results.backends().results.unwrap();
    assert!(
        results.hold_chord("g", "late").await.unwrap().is_none(),
        "it is over"
    );
}

#[tokio::test]
async fn a_chord_that_cannot_be_ended_does_not_undo_the_settlement() {
    let (split, faults, consumer, settlement) = held().await;
    let counting = last_member(&split, &settlement).await;
    let settled = consumer.settle(vec![counting]).await.unwrap();
    assert_eq!(settled, [Settled::Complete]);
    faults.fail_next(Call::FinishChord, 1, ErrorKind::Denied);
    let mut finishing = settlement;
    finishing.publish.push(publish("next", "body"));
    finishing.effects_mut().finish.push("g".to_owned());
    let settled = consumer.settle(vec![finishing]).await.unwrap();
    assert_eq!(settled, [Settled::Done]);
    let admin = split.transport.backends().admin;
    assert_eq!(
        admin.depth(&["next".to_owned()]).await.unwrap()[0].ready(),
        1
    );
    let results = split.results.backends().results.unwrap();
    assert_eq!(results.chord_parts("g").await.unwrap().parts.len(), 1);
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

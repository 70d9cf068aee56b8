//! Large bodies beside their messages: who gets a message gets its body, until it is settled for good.

use std::sync::Arc;
use std::time::Duration;

use broker::faults::{Call, inject};
use broker::{
    Backends, Broker, ClaimChecks, Consumer, Delivery, ErrorKind, MemoryBroker, Publish, Settled,
    Settlement, Verdict,
};
use jiff::Timestamp;
use protocol::{Accept, CLAIM_CONTENT_TYPE, Codec, Limits, Message, TaskMessage, Value};

const THRESHOLD: usize = 1_000;
const DAY: Duration = Duration::from_secs(86_400);

struct Stage {
    backends: Backends,
    broker: ClaimChecks,
}

impl Stage {
    fn new() -> Self {
        let backends = MemoryBroker::new().backends();
        Self::on(backends.clone(), &backends)
    }

    /// Looks at `backends`, works on `through`.
    fn on(backends: Backends, through: &Backends) -> Self {
        let (broker, results) = (through.broker.clone(), through.results.clone().unwrap());
        let broker = ClaimChecks::new(broker, results, THRESHOLD, Some(DAY));
        Self { backends, broker }
    }

    async fn consumer(&self) -> Arc<dyn Consumer> {
        let (params, _notices) = crate::params("q");
        self.broker.consumer(params).await.unwrap()
    }

    /// Whether the payload of this task is stored.
    async fn is_stored(&self, id: &str) -> bool {
        let results = self.backends.results.as_deref().unwrap();
        let stored = results
            .fetch(&[format!("celery-claim-{id}")])
            .await
            .unwrap();
        stored[0].is_some()
    }

    async fn queued(&self) -> Message {
        let raw = self.backends.admin.peek("q", 1).await.unwrap();
        Message::from_envelope(&raw[0], &Limits::default()).unwrap()
    }
}

fn large(id: &str, eta: Option<Timestamp>) -> Publish {
    let message = TaskMessage {
        args: vec![text()],
        eta: eta.map(Into::into),
        ..TaskMessage::new("tests.task", id)
    };
    Publish {
        message: message.encode(Codec::Json, None).unwrap(),
        ..crate::publish("q", id)
    }
}

fn text() -> Value {
    Value::from("large ".repeat(THRESHOLD))
}

fn argument(delivery: &Delivery) -> Value {
    let message = delivery.message.as_ref().unwrap();
    let body = message.decode_body(&Accept::default(), &Limits::default());
    body.unwrap().as_list().unwrap()[0].as_list().unwrap()[0].clone()
}

async fn take(consumer: &dyn Consumer) -> Delivery {
    let taken = tokio::time::timeout(Duration::from_secs(30), consumer.reserve(1)).await;
    taken.expect("it comes").unwrap().remove(0)
}

async fn settle(consumer: &dyn Consumer, settlement: Settlement) {
    assert_eq!(
        consumer.settle(vec![settlement]).await.unwrap(),
        [Settled::Done]
    );
}

#[tokio::test]
async fn a_large_body_lies_beside_its_message_until_it_is_done() {
    let stage = Stage::new();
    stage.broker.publish(vec![large("1", None)]).await.unwrap();
    let queued = stage.queued().await;
    assert_eq!(queued.content_type, CLAIM_CONTENT_TYPE);
    assert_eq!(queued.body, "celery-claim-1");
    let consumer = stage.consumer().await;
    let delivery = take(&*consumer).await;
    assert_eq!(argument(&delivery), text());
    settle(
        &*consumer,
        Settlement::new(delivery.tag.clone(), Verdict::Keep),
    )
    .await;
    assert!(stage.is_stored("1").await, "it still runs");
    settle(&*consumer, Settlement::new(delivery.tag, Verdict::Ack)).await;
    assert!(!stage.is_stored("1").await);
}

#[tokio::test]
async fn a_small_body_and_one_that_waits_longer_than_results_are_kept_stay_where_they_are() {
    let stage = Stage::new();
    let later = Timestamp::now() + DAY * 2;
    stage
        .broker
        .publish(vec![large("1", Some(later))])
        .await
        .unwrap();
    assert_eq!(stage.queued().await.content_type, "application/json");
    stage.backends.admin.purge("q").await.unwrap();
    stage
        .broker
        .publish(vec![crate::publish("q", "2")])
        .await
        .unwrap();
    assert_ne!(stage.queued().await.content_type, CLAIM_CONTENT_TYPE);
    assert!(!stage.is_stored("1").await && !stage.is_stored("2").await);
}

#[tokio::test]
async fn whoever_gets_it_next_finds_it_too() {
    let stage = Stage::new();
    stage.broker.publish(vec![large("1", None)]).await.unwrap();
    let first = stage.consumer().await;
    for verdict in [Verdict::Requeue { front: true }, Verdict::Died] {
        let delivery = take(&*first).await;
        assert_eq!(argument(&delivery), text());
        settle(&*first, Settlement::new(delivery.tag, verdict)).await;
    }
    // Held, and then the incarnation ends without a word.
    take(&*first).await;
    drop(first);
    let next = stage.consumer().await;
    let delivery = take(&*next).await;
    assert!(delivery.redelivered);
    assert_eq!(argument(&delivery), text());
}

#[tokio::test]
async fn a_retry_keeps_it() {
    let stage = Stage::new();
    stage.broker.publish(vec![large("1", None)]).await.unwrap();
    let consumer = stage.consumer().await;
    let retry = Settlement {
        publish: vec![large("1", None)],
        ..Settlement::new(take(&*consumer).await.tag, Verdict::Ack)
    };
    settle(&*consumer, retry).await;
    assert_eq!(stage.queued().await.content_type, CLAIM_CONTENT_TYPE);
    let again = take(&*consumer).await;
    assert_eq!(argument(&again), text());
    settle(&*consumer, Settlement::new(again.tag, Verdict::Ack)).await;
    assert!(!stage.is_stored("1").await);
}

#[tokio::test]
async fn a_payload_that_is_gone_is_an_error_that_says_so() {
    let stage = Stage::new();
    stage.broker.publish(vec![large("1", None)]).await.unwrap();
    let results = stage.backends.results.as_deref().unwrap();
    results
        .forget(&["celery-claim-1".to_owned()])
        .await
        .unwrap();
    let delivery = take(&*stage.consumer().await).await;
    let message = delivery.message.as_ref().unwrap();
    let error = message
        .decode_body(&Accept::default(), &Limits::default())
        .unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
}

#[tokio::test]
async fn an_outage_between_a_message_and_its_payload_is_waited_through() {
    let memory = MemoryBroker::new().backends();
    let (faulty, faults) = inject(memory.clone());
    let stage = Stage::on(memory, &faulty);
    stage.broker.publish(vec![large("1", None)]).await.unwrap();
    let consumer = stage.consumer().await;
    faults.fail_next(Call::Fetch, 2, ErrorKind::Unreachable);
    let delivery = take(&*consumer).await;
    assert_eq!(argument(&delivery), text());
    assert_eq!(faults.calls(Call::Fetch), 3);
    faults.fail_next(Call::Store, 1, ErrorKind::Unreachable);
    let retry = Settlement {
        publish: vec![large("1", None)],
        ..Settlement::new(delivery.tag, Verdict::Ack)
    };
    settle(&*consumer, retry).await;
    // Dropped while it waits for the payload: the next call gets what was taken.
    faults.fail_next(Call::Fetch, 1, ErrorKind::Unreachable);
    let dropped = consumer.reserve(1);
    let waited = tokio::time::timeout(Duration::from_millis(50), dropped).await;
    assert!(waited.is_err());
    assert_eq!(argument(&take(&*consumer).await), text());
}

//! What only the memory broker promises: it follows a paused clock, and it can be closed.

use std::time::Duration;

use broker::{ErrorKind, MemoryBroker, Settlement, Source, Verdict};
use jiff::{Timestamp, ToSpan};
use tokio::time::Instant;

use super::{params, publish};

#[tokio::test(start_paused = true)]
async fn deferred_messages_follow_the_paused_clock() {
    let backends = MemoryBroker::new().backends();
    let (params, _notices) = params("q");
    let consumer = backends.broker.consumer(params).await.unwrap();
    backends
        .broker
        .publish(vec![publish("q", "a")])
        .await
        .unwrap();
    let delivery = consumer.reserve(1).await.unwrap().remove(0);
    let until = Timestamp::now() + 3.hours();
    consumer
        .settle(vec![Settlement::new(
            delivery.tag,
            Verdict::Defer { until },
        )])
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(consumer.reserve(1).await.unwrap().len(), 1);
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(3 * 3600 - 60),
        "{waited:?} on the paused clock"
    );
}

#[tokio::test]
async fn closing_ends_waits_and_subscriptions() {
    let backends = MemoryBroker::new().backends();
    let (params, _notices) = params("q");
    let consumer = backends.broker.consumer(params).await.unwrap();
    let source = Source::Broadcast {
        exchange: "celeryev".to_owned(),
        binding_key: "#".to_owned(),
    };
    let mut subscription = backends.broker.subscribe(source).await.unwrap();
    let (reserved, ended, ()) = tokio::join!(
        consumer.reserve(1),
        subscription.next(),
        backends.broker.close()
    );
    assert_eq!(reserved.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(ended, None);
    let refused = backends.broker.publish(vec![publish("q", "a")]).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Closed);
}

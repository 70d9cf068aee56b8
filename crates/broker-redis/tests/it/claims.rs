//! Claim checks on a real server: where payloads lie, how long, and that the next holder finds them.

use std::time::Duration;

use broker::{Broker, ClaimChecks, ResultPolicy, Settled, Settlement, Verdict};
use broker_redis::RedisResults;
use protocol::{Accept, Codec, Limits, TaskMessage, Value};
use testkit::RedisServer;

use crate::support::{open, options, params, take, to_queue};

const KEY: &str = "celery-task-meta-celery-claim-large";

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_outlives_its_holder_and_not_its_task() {
    let server = RedisServer::start();
    let results = RedisResults::connect(options(&server.url()), ResultPolicy::default());
    let results = results.await.unwrap();
    let day = Some(Duration::from_secs(86_400));
    let broker = ClaimChecks::new(open(&server).await, results, 1_000, day);
    let text = Value::from("large ".repeat(1_000));
    let message = TaskMessage {
        args: vec![text.clone()],
        ..TaskMessage::new("tests.task", "large")
    };
    let mut publish = to_queue("q", "large");
    publish.message = message.encode(Codec::Json, None).unwrap();
    broker.publish(vec![publish]).await.unwrap();
    // Headers, with the beginning of the arguments for people to read; the body alone would be twice that.
    assert!(server.cli(&["LINDEX", "q", "0"]).len() < 4_000);
    let lifetime: i64 = server.cli(&["TTL", KEY]).parse().unwrap();
    assert!((86_000..=86_400).contains(&lifetime), "{lifetime}");

    let first = broker.consumer(params(&["q"]).0).await.unwrap();
    let taken = take(&*first, 1).await;
    assert!(!taken[0].redelivered);
    // Its lease runs out, as that of a process that was killed.
    drop(first);
    let next = broker.consumer(params(&["q"]).0).await.unwrap();
    let delivery = take(&*next, 1).await.remove(0);
    assert!(delivery.redelivered);
    let message = delivery.message.as_ref().unwrap();
    let body = message
        .decode_body(&Accept::default(), &Limits::default())
        .unwrap();
    assert_eq!(body.as_list().unwrap()[0], Value::List(vec![text]));
    assert_eq!(server.cli(&["EXISTS", KEY]), "1");
    let done = Settlement::new(delivery.tag, Verdict::Ack);
    assert_eq!(next.settle(vec![done]).await.unwrap(), [Settled::Done]);
    assert_eq!(server.cli(&["EXISTS", KEY]), "0");
}

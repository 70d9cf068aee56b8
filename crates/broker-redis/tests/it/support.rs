//! What the tests have in common: opening brokers, messages, and waiting.

use std::sync::Arc;
use std::time::Duration;

use broker::{
    Broker, Consumer, ConsumerParams, Delivery, Notice, Publish, QueueOrder, ResultPolicy, Route,
};
use broker_redis::{RedisBroker, RedisOptions};
use bytes::Bytes;
use protocol::{Limits, Message};
use testkit::RedisServer;
use tokio::sync::mpsc;

/// How long a condition may take to come true on a machine that is busy with other things.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) fn options(url: &str) -> RedisOptions {
    RedisOptions::parse(url, &serde_json::Map::new()).unwrap()
}

pub(crate) async fn open(server: &RedisServer) -> Arc<RedisBroker> {
    open_url(&server.url()).await
}

/// A broker with results on the same server.
pub(crate) async fn open_url(url: &str) -> Arc<RedisBroker> {
    RedisBroker::connect_with_results(options(url), &options(url), ResultPolicy::default())
        .await
        .unwrap()
}

pub(crate) fn params(queues: &[&str]) -> (ConsumerParams, mpsc::Receiver<Notice>) {
    let (notices, receiver) = mpsc::channel(1_024);
    let params = ConsumerParams {
        node: "test@host".to_owned(),
        queues: queues.iter().map(ToString::to_string).collect(),
        order: QueueOrder::RoundRobin,
        lease: Duration::from_secs(2),
        visibility_timeout: Duration::from_secs(3_600),
        limits: Limits::default(),
        notices,
    };
    (params, receiver)
}

pub(crate) async fn consumer(broker: &RedisBroker, queues: &[&str]) -> Arc<dyn Consumer> {
    broker.consumer(params(queues).0).await.unwrap()
}

pub(crate) fn message(id: &str) -> Message {
    let mut message = Message {
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: Bytes::from_static(b"[[], {}, {}]"),
        ..Message::default()
    };
    message.headers.task = Some("tests.task".to_owned());
    message.headers.id = Some(id.to_owned());
    message
}

pub(crate) fn to_queue(queue: &str, id: &str) -> Publish {
    Publish {
        message: message(id),
        route: Route::queue(queue),
    }
}

/// Takes this many messages.
pub(crate) async fn take(consumer: &dyn Consumer, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = tokio::time::timeout(DEADLINE, consumer.reserve(count - taken.len())).await;
        taken.extend(more.expect("messages come within the deadline").unwrap());
    }
    taken
}

pub(crate) fn id(delivery: &Delivery) -> String {
    delivery
        .message
        .as_ref()
        .unwrap()
        .headers
        .id
        .clone()
        .unwrap()
}

pub(crate) fn ids(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(id).collect()
}

/// Waits for a notice that `pick` accepts.
pub(crate) async fn notice<T>(
    notices: &mut mpsc::Receiver<Notice>,
    pick: impl Fn(&Notice) -> Option<T>,
) -> T {
    let search = async {
        loop {
            if let Some(found) = pick(&notices.recv().await.expect("the consumer lives")) {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, search)
        .await
        .expect("the notice comes within the deadline")
}

pub(crate) async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let search = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, search)
        .await
        .expect("the condition holds within the deadline");
}

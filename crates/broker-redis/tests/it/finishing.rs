//! The script of the hot path: batches that only acknowledge and store results.

use broker::{
    Broker as _, Consumer, Delivery, ResultBackend as _, ResultPolicy, Settled, Settlement, Verdict,
};
use broker_redis::{RedisBroker, RedisResults};
use protocol::{Compression, State, TaskMeta, Value};
use testkit::RedisServer;

use crate::support::{consumer, open, options, take, to_queue};

fn finish(delivery: &Delivery, id: &str, state: State) -> Settlement {
    Settlement {
        store: Some(TaskMeta::new(id, state, Value::Null)),
        ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
    }
}

async fn held(
    server: &RedisServer,
    broker: &RedisBroker,
) -> (std::sync::Arc<dyn Consumer>, Vec<Delivery>) {
    let messages = ["a", "b", "c"].map(|id| to_queue("q", id));
    broker.publish(messages.to_vec()).await.unwrap();
    let consumer = consumer(broker, &["q"]).await;
    let taken = take(&*consumer, 3).await;
    assert_eq!(server.cli(&["ZCARD", "unacked_index"]), "3");
    (consumer, taken)
}

fn nothing_is_held(server: &RedisServer) {
    assert_eq!(server.cli(&["EXISTS", "unacked", "unacked_index"]), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_stays_when_its_task_ends_twice_in_one_batch() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let (consumer, taken) = held(&server, &broker).await;
    let batch = vec![
        finish(&taken[0], "t", State::Success),
        finish(&taken[1], "t", State::Failure),
        Settlement::new(taken[2].tag.clone(), Verdict::Ack),
    ];
    assert_eq!(consumer.settle(batch).await.unwrap(), [Settled::Done; 3]);
    let stored = server.cli(&["GET", "celery-task-meta-t"]);
    assert!(stored.contains("SUCCESS"), "{stored}");
    assert_ne!(server.cli(&["TTL", "celery-task-meta-t"]), "-1");
    nothing_is_held(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_held_any_more_is_refused_and_the_rest_of_its_batch_is_not() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let (consumer, taken) = held(&server, &broker).await;
    let first = vec![Settlement::new(taken[1].tag.clone(), Verdict::Ack)];
    assert_eq!(consumer.settle(first).await.unwrap(), [Settled::Done]);
    let batch = vec![
        finish(&taken[0], "t0", State::Success),
        finish(&taken[1], "t1", State::Success),
        finish(&taken[2], "t2", State::Success),
        finish(&taken[2], "t3", State::Success),
    ];
    let (done, refused) = (Settled::Done, Settled::Refused);
    let settled = consumer.settle(batch).await.unwrap();
    assert_eq!(settled, [done, refused, done, refused]);
    let stored = |id: &str| server.cli(&["EXISTS", &format!("celery-task-meta-{id}")]);
    assert_eq!(["t0", "t1", "t2", "t3"].map(stored), ["1", "0", "1", "0"]);
    nothing_is_held(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_meta_is_looked_at_and_its_message_acknowledged_then() {
    let server = RedisServer::start();
    let policy = ResultPolicy {
        compression: Some(Compression::from_name("gzip").unwrap()),
        ..ResultPolicy::default()
    };
    let options = options(&server.url());
    let results = RedisResults::connect(options.clone(), policy.clone())
        .await
        .unwrap();
    let before = vec![
        TaskMeta::new("t0", State::Success, Value::Null),
        TaskMeta::new("t1", State::Started, Value::Null),
    ];
    results.store(before).await.unwrap();
    let broker = RedisBroker::connect_with_results(options.clone(), &options, policy)
        .await
        .unwrap();
    let (consumer, taken) = held(&server, &broker).await;
    let batch = vec![
        finish(&taken[0], "t0", State::Failure),
        finish(&taken[1], "t1", State::Failure),
        finish(&taken[2], "t2", State::Failure),
    ];
    assert_eq!(consumer.settle(batch).await.unwrap(), [Settled::Done; 3]);
    let ids = ["t0", "t1", "t2"].map(str::to_owned);
    let states: Vec<State> = results
        .fetch(&ids)
        .await
        .unwrap()
        .into_iter()
        .map(|meta| meta.unwrap().status)
        .collect();
    assert_eq!(states, [State::Success, State::Failure, State::Failure]);
    nothing_is_held(&server);
}

//! Waiting for messages: told by the server, taking nothing away, costing nothing.

use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Consumer, Delivery, Settlement, Verdict};
use broker_redis::{RedisBroker, RedisOptions};
use protocol::{State, TaskMeta};
use testkit::RedisServer;

use crate::support::{consumer, ids, open, open_url, take, to_queue};

/// Less than the ten seconds after which a consumer looks of itself, so that only being told can make it.
const TOLD: Duration = Duration::from_secs(8);

/// Calls of a command as the server counts them.
fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats = server.cli(&["INFO", "commandstats"]);
    let line = stats
        .lines()
        .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let count = line
        .and_then(|line| line.split("calls=").nth(1))
        .and_then(|rest| rest.split(',').next());
    count.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_wakes_an_idle_consumer() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q", "r"]).await;
    for round in 0..20 {
        let (id, queue) = (round.to_string(), ["q", "r"][round % 2]);
        let waiting = tokio::spawn({
            let consumer = consumer.clone();
            async move { consumer.reserve(1).await.unwrap() }
        });
        crate::support::eventually(async || calls(&server, "exists") > round as u64).await;
        broker.publish(vec![to_queue(queue, &id)]).await.unwrap();
        let taken = tokio::time::timeout(TOLD, waiting)
            .await
            .expect("the server tells at once")
            .unwrap();
        assert_eq!(ids(&taken), [id]);
    }
    assert_eq!(
        calls(&server, "brpop") + calls(&server, "blpop") + calls(&server, "blmove"),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_publishes_and_requeues_wakes_itself() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    broker.publish(vec![to_queue("q", "first")]).await.unwrap();
    let first = take(&*consumer, 1).await.remove(0);
    let retry = Settlement {
        publish: vec![to_queue("q", "second")],
        ..Settlement::new(first.tag, Verdict::Ack)
    };
    let second = settle_while_waiting(&server, &consumer, retry).await;
    assert_eq!(ids(&second), ["second"]);
    let requeue = Settlement::new(second[0].tag.clone(), Verdict::Requeue { front: false });
    assert_eq!(
        ids(&settle_while_waiting(&server, &consumer, requeue).await),
        ["second"]
    );
}

async fn settle_while_waiting(
    server: &RedisServer,
    consumer: &Arc<dyn Consumer>,
    settlement: Settlement,
) -> Vec<Delivery> {
    let before = calls(server, "exists");
    let waiting = tokio::spawn({
        let consumer = Arc::clone(consumer);
        async move { consumer.reserve(1).await.unwrap() }
    });
    crate::support::eventually(async || calls(server, "exists") > before).await;
    consumer.settle(vec![settlement]).await.unwrap();
    tokio::time::timeout(TOLD, waiting)
        .await
        .expect("the server tells at once")
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_asks_nothing() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    let waiting = tokio::spawn(async move { consumer.reserve(1).await.map(|taken| taken.len()) });
    crate::support::eventually(async || calls(&server, "exists") > 0).await;
    let before = calls(&server, "exists");
    // An asking consumer would ask within this time; how much longer it takes here does not matter.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(calls(&server, "exists"), before);
    assert!(!waiting.is_finished());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tracking_it_looks_for_itself() {
    let server = RedisServer::builder().acl_user("worker", "pw").start();
    server.cli(&[
        "ACL",
        "SETUSER",
        "limited",
        "on",
        ">pw",
        "~*",
        "&*",
        "+@all",
        "-client|tracking",
        "-client|caching",
    ]);
    let url = format!("redis://limited:pw@{}/0", server.address());
    let broker = open_url(&url).await;
    let consumer = consumer(&broker, &["q"]).await;
    let waiting = tokio::spawn(async move { consumer.reserve(1).await.unwrap() });
    crate::support::eventually(async || calls(&server, "exists") > 2).await;
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let taken = tokio::time::timeout(TOLD, waiting)
        .await
        .expect("it looks 20 times a second")
        .unwrap();
    assert_eq!(ids(&taken), ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_with_a_result_costs_its_share_of_two_scripts() {
    const TASKS: usize = 1_000;
    const BATCH: usize = 100;
    let server = RedisServer::start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    broker
        .publish(
            (0..TASKS)
                .map(|id| to_queue("q", &id.to_string()))
                .collect(),
        )
        .await
        .unwrap();
    let before = calls(&server, "evalsha");
    for _ in 0..TASKS / BATCH {
        let taken = take(&*consumer, BATCH).await;
        let settlement = |delivery: &Delivery| Settlement {
            store: Some(TaskMeta::new(
                crate::support::id(delivery),
                State::Success,
                1_i64.into(),
            )),
            ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
        };
        consumer
            .settle(taken.iter().map(settlement).collect())
            .await
            .unwrap();
    }
    let scripts = calls(&server, "evalsha") - before;
    println!("{scripts} scripts for {TASKS} tasks in batches of {BATCH}");
    // Twice for every batch, plus what time asks for meanwhile.
    assert!(scripts < 3 * (TASKS / BATCH) as u64 + 30, "{scripts}");
    assert_eq!(
        server.cli(&["DBSIZE"]).parse::<usize>().unwrap(),
        TASKS + 5,
        "{}",
        server.cli(&["KEYS", "[^c]*"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_list_harms_no_other_queue() {
    let server = RedisServer::start();
    server.cli(&["SET", "broken", "text"]);
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["broken", "q"]).await;
    let waiting = tokio::spawn({
        let consumer = consumer.clone();
        async move { consumer.reserve(4).await.unwrap() }
    });
    crate::support::eventually(async || calls(&server, "exists") > 0).await;
    let before = calls(&server, "exists");
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    assert_eq!(
        ids(&tokio::time::timeout(TOLD, waiting).await.unwrap().unwrap()),
        ["a"]
    );
    assert!(
        calls(&server, "exists") <= before + 2,
        "the broken key keeps it from waiting"
    );
    assert_eq!(server.cli(&["GET", "broken"]), "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_whose_only_key_was_no_list_is_consumed_once_it_is() {
    let server = RedisServer::start();
    let given = serde_json::json!({"priority_steps": [0]});
    let options = RedisOptions::parse(&server.url(), given.as_object().unwrap()).unwrap();
    let broker = RedisBroker::connect(options).await.unwrap();
    server.cli(&["SET", "q", "not a list"]);
    let consumer = consumer(&broker, &["q"]).await;
    let waiting = tokio::spawn(async move { consumer.reserve(1).await.unwrap() });
    // It has looked at the key and waits.
    crate::support::eventually(async || calls(&server, "rpop") > 0).await;
    server.cli(&["DEL", "q"]);
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let taken = tokio::time::timeout(crate::support::DEADLINE, waiting)
        .await
        .expect("it looks again")
        .unwrap();
    assert_eq!(ids(&taken), ["a"]);
}

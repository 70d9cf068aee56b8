//! Lost connections, restarts and frozen servers: consuming goes on, nothing is lost.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{
    Broker, ChordPart, Consumer, ConsumerParams, Delivery, Notice, Settled, Settlement, Verdict,
};
use broker_redis::{RedisBroker, RedisOptions};
use protocol::{State, Value};
use testkit::RedisServer;
use tokio::task::JoinHandle;

use crate::support::{
    DEADLINE, consumer, eventually, id, ids, open, open_url, options, take, to_queue,
};

/// Reserves and acknowledges until `count` different messages were acknowledged; those acknowledged twice for certain.
async fn drain(consumer: Arc<dyn Consumer>, count: usize) -> Vec<String> {
    let (mut seen, mut twice) = (HashSet::new(), Vec::new());
    while seen.len() < count {
        let taken = consumer.reserve(7).await.unwrap();
        let acks = taken
            .iter()
            .map(|delivery| Settlement::new(delivery.tag.clone(), Verdict::Ack))
            .collect();
        for (delivery, settled) in taken.iter().zip(consumer.settle(acks).await.unwrap()) {
            if settled != Settled::Refused && !seen.insert(id(delivery)) {
                twice.push(id(delivery));
            }
        }
    }
    twice
}

/// Publishes one by one; an error means that nobody knows, so it is published again.
async fn publish_stubbornly(broker: &RedisBroker, count: usize) -> usize {
    let mut repeated = 0;
    for at in 0..count {
        while broker
            .publish(vec![to_queue("q", &at.to_string())])
            .await
            .is_err()
        {
            repeated += 1;
        }
    }
    repeated
}

/// Kills every connection, again and again.
struct Killing {
    done: Arc<AtomicBool>,
    kills: JoinHandle<usize>,
}

impl Killing {
    fn start(server: &Arc<RedisServer>, most: usize, pause: Duration) -> Self {
        let (server, done) = (Arc::clone(server), Arc::new(AtomicBool::new(false)));
        let kills = tokio::task::spawn_blocking({
            let done = Arc::clone(&done);
            move || {
                let mut kills = 0;
                while kills < most && !done.load(Ordering::Relaxed) {
                    server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                    kills += 1;
                    std::thread::sleep(pause);
                }
                kills
            }
        });
        Self { done, kills }
    }

    /// How many times it killed them.
    async fn end(self) -> usize {
        self.done.store(true, Ordering::Relaxed);
        self.kills.await.unwrap()
    }
}

/// A member of chord `g`, which counts with its acknowledgement.
fn counting(delivery: &Delivery) -> Settlement {
    let part = ChordPart {
        group_id: "g".to_owned(),
        task_id: id(delivery),
        group_index: None,
        state: State::Success,
        result: Value::Null,
    };
    let mut settlement = Settlement::new(delivery.tag.clone(), Verdict::Ack);
    settlement.effects_mut().count = Some(part);
    settlement
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_count_every_member_once() {
    const MEMBERS: usize = 2_000;
    let server = Arc::new(RedisServer::start());
    let broker = open(&server).await;
    let members = (0..MEMBERS).map(|at| to_queue("q", &at.to_string()));
    broker.publish(members.collect()).await.unwrap();
    server.cli(&["SET", "celery-taskset-meta-g.s", &MEMBERS.to_string()]);
    let consumer = consumer(&broker, &["q"]).await;
    let killing = Killing::start(&server, 200, Duration::from_millis(2));
    let mut ends = Vec::new();
    for _ in 0..MEMBERS / 8 {
        let batch = take(&*consumer, 8).await;
        ends.extend(
            consumer
                .settle(batch.iter().map(counting).collect())
                .await
                .unwrap(),
        );
    }
    let kills = killing.end().await;
    let uncertain = ends
        .iter()
        .filter(|end| **end == Settled::Uncertain)
        .count();
    println!("{MEMBERS} members through {kills} kills, {uncertain} of them uncertain");
    assert_eq!(ends.pop(), Some(Settled::Complete), "the last one is told");
    let told = |end: &Settled| matches!(end, Settled::Done | Settled::Uncertain);
    assert!(ends.iter().all(told), "and nobody else");
    let counted = server.cli(&["ZCARD", "celery-taskset-meta-g.j"]);
    assert_eq!(counted, MEMBERS.to_string());
    assert_eq!(server.cli(&["HLEN", "unacked"]), "1", "the last is held");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_killed_connections_lose_nothing() {
    const COUNT: usize = 3_000;
    let server = Arc::new(RedisServer::start());
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    let draining = tokio::spawn(drain(consumer, COUNT));
    let killing = Killing::start(&server, 20, Duration::from_millis(40));
    let repeated = publish_stubbornly(&broker, COUNT).await;
    let twice = tokio::time::timeout(DEADLINE * 2, draining)
        .await
        .expect("consuming goes on")
        .unwrap();
    println!(
        "{COUNT} messages through {} kills, {repeated} published again",
        killing.end().await
    );
    assert!(
        twice.len() <= repeated,
        "{} doubled, but only {repeated} were published again",
        twice.len()
    );
    eventually(async || server.cli(&["HLEN", "unacked"]) == "0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_still_holds_what_was_held() {
    let mut server = RedisServer::builder().appendonly().start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    broker
        .publish(vec![to_queue("q", "a"), to_queue("q", "b")])
        .await
        .unwrap();
    let held = take(&*consumer, 1).await;
    for _ in 0..3 {
        server.restart();
    }
    let ack = Settlement::new(held[0].tag.clone(), Verdict::Ack);
    assert_eq!(consumer.settle(vec![ack]).await.unwrap(), [Settled::Done]);
    assert_eq!(ids(&take(&*consumer, 1).await), ["b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_consumer_notices_a_restart_and_wakes_up_afterwards() {
    let mut server = RedisServer::builder().appendonly().start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    let waiting = tokio::spawn(async move { take(&*consumer, 1).await });
    server.restart();
    // The broker itself has lost its connection too and does not know whether its message arrived.
    eventually(async || broker.publish(vec![to_queue("q", "a")]).await.is_ok()).await;
    assert_eq!(ids(&waiting.await.unwrap()), ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_waited_for() {
    let server = RedisServer::start();
    let impatient = RedisOptions {
        response_timeout: Duration::from_millis(300),
        connect_timeout: Duration::from_millis(300),
        ..options(&server.url())
    };
    let broker = RedisBroker::connect(impatient).await.unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let held = take(&*consumer, 1).await;
    server.pause();
    let settling = tokio::spawn(async move {
        let ack = Settlement::new(held[0].tag.clone(), Verdict::Ack);
        consumer.settle(vec![ack]).await.unwrap()
    });
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(!settling.is_finished());
    server.resume();
    let settled = tokio::time::timeout(DEADLINE, settling)
        .await
        .unwrap()
        .unwrap();
    // The first attempt may have arrived after all.
    assert!(
        matches!(settled[..], [Settled::Done | Settled::Uncertain]),
        "{settled:?}"
    );
    assert_eq!(server.cli(&["HLEN", "unacked"]), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_told_apart() {
    let server = RedisServer::start();
    let broker = open_url(&server.url()).await;
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let error = broker.publish(vec![to_queue("q", "a")]).await.unwrap_err();
    assert_eq!(error.kind(), broker::ErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains("primary"), "{error}");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    eventually(async || broker.publish(vec![to_queue("q", "a")]).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_declared_dead_for_an_outage_of_the_server() {
    let mut server = RedisServer::builder().appendonly().start();
    let broker = open(&server).await;
    broker
        .publish((0..3).map(|at| to_queue("q", &at.to_string())).collect())
        .await
        .unwrap();
    let lease = Duration::from_secs(3);
    let (mut consumers, mut held) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (params, notices) = crate::support::params(&["q"]);
        let consumer = broker
            .consumer(ConsumerParams { lease, ..params })
            .await
            .unwrap();
        held.push(take(&*consumer, 1).await.remove(0));
        consumers.push((consumer, notices));
    }
    server.stop();
    tokio::time::sleep(lease * 2).await;
    server.restart();
    let renewed =
        |server: &RedisServer| server.cli(&["ZRANGE", "celeriac.workers", "0", "0", "WITHSCORES"]);
    let (first, mut changes, mut last) = (renewed(&server), 0, String::new());
    eventually(async || {
        let now = renewed(&server);
        changes += usize::from(now != last && now != first);
        last = now;
        changes > 6
    })
    .await;
    for ((consumer, mut notices), delivery) in consumers.into_iter().zip(held) {
        let ack = Settlement::new(delivery.tag, Verdict::Ack);
        assert_eq!(consumer.settle(vec![ack]).await.unwrap(), [Settled::Done]);
        while let Ok(notice) = notices.try_recv() {
            assert!(
                !matches!(notice, Notice::Fenced | Notice::Reclaimed { .. }),
                "{notice:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_waited_through() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    let publish = ["a", "b"].map(|id| to_queue("q", id));
    broker.publish(publish.to_vec()).await.unwrap();
    let held = take(&*consumer, 1).await.remove(0);
    server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let settling = tokio::spawn({
        let consumer = Arc::clone(&consumer);
        let ack = Settlement::new(held.tag, Verdict::Ack);
        async move { consumer.settle(vec![ack]).await.unwrap() }
    });
    let reserving = tokio::spawn(async move { consumer.reserve(1).await.unwrap() });
    eventually(async || {
        let errors = server.cli(&["INFO", "errorstats"]);
        errors.contains("errorstat_NOREPLICAS")
    })
    .await;
    server.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    let settled = tokio::time::timeout(DEADLINE, settling).await;
    assert_eq!(settled.expect("it is settled").unwrap(), [Settled::Done]);
    let taken = tokio::time::timeout(DEADLINE, reserving).await;
    assert_eq!(ids(&taken.expect("it goes on").unwrap()), ["b"]);
    assert_eq!(server.cli(&["HLEN", "unacked"]), "1");
}

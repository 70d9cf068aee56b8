//! Holding: leases, deferring, and answers that got lost.

use std::time::{Duration, Instant};

use broker::{
    Admin, Broker, ConsumerParams, Delivery, ErrorKind, Notice, Settled, Settlement, Verdict,
};
use broker_redis::RedisOptions;
use jiff::{SignedDuration, Timestamp};
use testkit::RedisServer;

use crate::support::{
    consumer, eventually, id, ids, notice, open, options, params, take, to_queue,
};

fn defer(delivery: &Delivery, until: Timestamp) -> Settlement {
    Settlement::new(delivery.tag.clone(), Verdict::Defer { until })
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_deferred_messages_wait_on_the_server() {
    const COUNT: usize = 50_000;
    const BATCH: usize = 1_000;
    let server = RedisServer::start();
    let broker = open(&server).await;
    let consumer = consumer(&broker, &["q"]).await;
    let begin = Instant::now();
    for batch in 0..COUNT / BATCH {
        broker
            .publish(
                (0..BATCH)
                    .map(|at| to_queue("q", &format!("{batch}-{at}")))
                    .collect(),
            )
            .await
            .unwrap();
        let far = Timestamp::now() + SignedDuration::from_hours(1);
        let settled = consumer
            .settle(
                take(&*consumer, BATCH)
                    .await
                    .iter()
                    .map(|delivery| defer(delivery, far))
                    .collect(),
            )
            .await;
        assert!(
            settled
                .unwrap()
                .iter()
                .all(|settled| *settled == Settled::Done)
        );
    }
    println!("{COUNT} messages deferred in {:?}", begin.elapsed());
    assert_eq!(server.cli(&["ZCARD", "celeriac.eta"]), COUNT.to_string());
    assert_eq!(server.cli(&["HLEN", "unacked"]), COUNT.to_string());
    assert_eq!(broker.deferred(10).await.unwrap().len(), 10);
    // They are not the consumer's any more: closing it gives nothing back.
    assert_eq!(consumer.close().await.unwrap(), 0);
    assert_eq!(server.cli(&["ZCARD", "celeriac.eta"]), COUNT.to_string());

    // All due at once: every one of them arrives, and only once.
    server.cli(&[
        "ZUNIONSTORE",
        "celeriac.eta",
        "1",
        "celeriac.eta",
        "WEIGHTS",
        "0",
    ]);
    let heir = broker.consumer(params(&["q"]).0).await.unwrap();
    let mut arrived = std::collections::HashSet::new();
    while arrived.len() < COUNT {
        let taken = take(&*heir, 1).await;
        let mut more = heir.reserve(BATCH).await.unwrap();
        more.extend(taken);
        assert!(
            more.iter().all(|delivery| arrived.insert(id(delivery))),
            "a deferred message arrived twice"
        );
        heir.settle(
            more.iter()
                .map(|delivery| Settlement::new(delivery.tag.clone(), Verdict::Ack))
                .collect(),
        )
        .await
        .unwrap();
        if arrived.len() + 1 >= COUNT {
            break;
        }
    }
    eventually(async || server.cli(&["ZCARD", "celeriac.eta"]) == "0").await;
}

/// A worker whose clock is behind the server's defers what is due by the server's: the server is asked as such a worker would.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_by_the_servers_clock_only_waits_for_what_the_worker_says_is_left() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    let tag = take(&*consumer, 1).await.remove(0).tag;
    let now = Timestamp::now().as_millisecond();
    let script = include_str!("../../src/lua/settle.lua");
    let due = (now - 5_000).to_string();
    let keys = [
        "unacked",
        "unacked_index",
        "celeriac.poison",
        "celeriac.eta",
        "celeriac.parked",
        "celeriac.parked_index",
    ];
    let operands = ["", "1", tag.as_str(), "defer", &due, "60000", "0", "0"];
    let call = [&["EVAL", script, "6"][..], &keys, &operands].concat();
    assert_eq!(server.cli(&call), "1");
    let waiting = broker.deferred(1).await.unwrap().remove(0);
    assert!(waiting.due.as_millisecond() >= now + 60_000, "{waiting:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_alone_still_gets_what_was_deferred() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    let due = Timestamp::now() + SignedDuration::from_secs(60);
    let taken = take(&*consumer, 1).await;
    consumer.settle(vec![defer(&taken[0], due)]).await.unwrap();
    let held: Vec<(String, f64)> = crate::raw::call(
        &server,
        &[b"ZRANGE", b"unacked_index", b"0", b"-1", b"WITHSCORES"],
    )
    .await;
    let [(tag, score)] = held.as_slice() else {
        panic!("{held:?}")
    };
    assert!(
        (score - due.as_millisecond() as f64 / 1_000.0).abs() < 0.01,
        "{score}"
    );
    let record: String = crate::raw::call(&server, &[b"HGET", b"unacked", tag.as_bytes()]).await;
    let (_, exchange, queue): (serde_json::Value, String, String) =
        serde_json::from_str(&record).unwrap();
    assert_eq!((exchange.as_str(), queue.as_str()), ("", "q"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_longer_than_the_visibility_timeout_stays_held() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let short = |queues| {
        let (params, notices) = params(queues);
        (
            ConsumerParams {
                visibility_timeout: Duration::from_millis(900),
                ..params
            },
            notices,
        )
    };
    let holder = broker.consumer(short(&["q"]).0).await.unwrap();
    let taken = take(&*holder, 1).await;
    let first = score(&server);
    let _sweeper = broker.consumer(short(&["other"]).0).await.unwrap();
    // Several visibility time-outs of refreshing.
    eventually(async || score(&server) > first + 3.0).await;
    assert_eq!(server.cli(&["LLEN", "q"]), "0");
    let ack = Settlement::new(taken[0].tag.clone(), Verdict::Ack);
    assert_eq!(holder.settle(vec![ack]).await.unwrap(), [Settled::Done]);
}

fn score(server: &RedisServer) -> f64 {
    server
        .cli(&["ZRANGE", "unacked_index", "0", "0", "WITHSCORES"])
        .lines()
        .last()
        .and_then(|line| line.parse().ok())
        .unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_whose_answer_got_lost_is_found() {
    let server = RedisServer::start();
    let impatient = RedisOptions {
        response_timeout: Duration::from_millis(400),
        ..options(&server.url())
    };
    let broker = broker_redis::RedisBroker::connect(impatient).await.unwrap();
    let (params, _notices) = params(&["q"]);
    let consumer = broker
        .consumer(ConsumerParams {
            lease: Duration::from_secs(3),
            ..params
        })
        .await
        .unwrap();
    broker.publish(vec![to_queue("q", "warm")]).await.unwrap();
    take(&*consumer, 1).await;
    broker
        .publish((0..5).map(|at| to_queue("q", &at.to_string())).collect())
        .await
        .unwrap();
    // The request reaches the frozen server, its answer nobody: the connection is given up first.
    server.pause();
    let waiting = tokio::spawn(async move { take(&*consumer, 5).await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.resume();
    let mut found = ids(&waiting.await.unwrap());
    found.sort_unstable();
    assert_eq!(found, ["0", "1", "2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_everything_is_used_on() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let (params, mut notices) = params(&["q"]);
    let consumer = broker.consumer(params).await.unwrap();
    broker.publish(vec![to_queue("q", "gone")]).await.unwrap();
    let taken = take(&*consumer, 1).await;
    server.cli(&["FLUSHALL"]);
    server.cli(&["SCRIPT", "FLUSH"]);
    notice(&mut notices, |notice| {
        matches!(notice, Notice::Fenced).then_some(())
    })
    .await;
    let ack = Settlement::new(taken[0].tag.clone(), Verdict::Ack);
    assert_eq!(
        consumer.settle(vec![ack]).await.unwrap(),
        [Settled::Refused]
    );
    broker.publish(vec![to_queue("q", "new")]).await.unwrap();
    assert_eq!(ids(&take(&*consumer, 1).await), ["new"]);
    assert_eq!(server.cli(&["EXISTS", "_kombu.binding.q"]), "1");
}

/// What a settlement publishes may find no queue: then it says so, stays held, and keeps no other settlement of its batch from being done.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_whose_message_cannot_be_published_says_why_and_stays_held() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    server.cli(&["SET", "bad", "no list"]);
    let messages = vec![to_queue("q", "a"), to_queue("q", "b")];
    broker.publish(messages).await.unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    let taken = take(&*consumer, 2).await;
    let ack = |at: usize| Settlement::new(taken[at].tag.clone(), Verdict::Ack);
    let mut sends = ack(0);
    sends.publish = vec![to_queue("bad", "next")];

    let settled = consumer.settle(vec![sends.clone(), ack(1)]).await.unwrap();
    assert_eq!(settled, [Settled::Impossible, Settled::Done]);
    let error = consumer.settle(vec![sends]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error
            .to_string()
            .contains("key bad is no list but a string"),
        "{error}"
    );
    assert_eq!(
        consumer.settle(vec![ack(0)]).await.unwrap(),
        [Settled::Done]
    );
}

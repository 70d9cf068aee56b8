//! Results with Celery's keys and rules, as far as only Redis has them.

use std::time::Duration;

use broker::{Broker, ResultBackend, ResultPolicy, Settlement, Stored, Verdict};
use broker_redis::{RedisBroker, RedisOptions, RedisResults};
use protocol::{Codec, Compression, State, TaskMeta};
use testkit::RedisServer;

use crate::support::{consumer, eventually, options, take, to_queue};

fn meta(id: &str, status: State) -> TaskMeta {
    TaskMeta::new(id, status, 1_i64.into())
}

fn policies() -> Vec<ResultPolicy> {
    let codecs = [
        (Codec::Json, None),
        (Codec::Msgpack, None),
        (Codec::Json, Some(Compression::from_name("gzip").unwrap())),
    ];
    codecs
        .into_iter()
        .map(|(codec, compression)| ResultPolicy {
            codec,
            compression,
            ..ResultPolicy::default()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn success_stays_in_every_encoding() {
    let server = RedisServer::start();
    for policy in policies() {
        server.cli(&["FLUSHALL"]);
        let options = options(&server.url());
        let results = RedisResults::connect(options.clone(), policy.clone())
            .await
            .unwrap();
        let stored = results
            .store(vec![meta("t", State::Started), meta("u", State::Started)])
            .await
            .unwrap();
        assert_eq!(stored, [Stored::Written; 2], "{policy:?}");
        let stored = results
            .store(vec![meta("t", State::Success), meta("u", State::Retry)])
            .await
            .unwrap();
        assert_eq!(stored, [Stored::Written; 2], "{policy:?}");
        let stored = results
            .store(vec![meta("t", State::Failure), meta("u", State::Success)])
            .await
            .unwrap();
        assert_eq!(stored, [Stored::KeptSuccess, Stored::Written], "{policy:?}");

        let broker = RedisBroker::connect_with_results(options.clone(), &options, policy.clone())
            .await
            .unwrap();
        broker
            .publish(vec![to_queue("q", "t"), to_queue("q", "w")])
            .await
            .unwrap();
        let consumer = consumer(&broker, &["q"]).await;
        for (delivery, id) in take(&*consumer, 2).await.iter().zip(["t", "w"]) {
            for (verdict, status) in [
                (Verdict::Keep, State::Started),
                (Verdict::Keep, State::Retry),
                (Verdict::Ack, State::Failure),
            ] {
                let settlement = Settlement {
                    store: Some(meta(id, status)),
                    ..Settlement::new(delivery.tag.clone(), verdict)
                };
                assert_eq!(
                    consumer.settle(vec![settlement]).await.unwrap(),
                    [broker::Settled::Done],
                    "{policy:?}"
                );
            }
        }
        let ids: Vec<String> = ["t", "u", "w"].map(String::from).to_vec();
        let states: Vec<State> = results
            .fetch(&ids)
            .await
            .unwrap()
            .into_iter()
            .map(|meta| meta.unwrap().status)
            .collect();
        assert_eq!(
            states,
            [State::Success, State::Success, State::Failure],
            "{policy:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_lifetimes_are_celerys() {
    let server = RedisServer::start();
    let given = serde_json::json!({"global_keyprefix": "app"});
    let options = RedisOptions::parse(&server.url(), given.as_object().unwrap()).unwrap();
    let policy = ResultPolicy {
        failure_expires: Some(Duration::from_secs(70)),
        ..ResultPolicy::default()
    };
    let results = RedisResults::connect(options.clone(), policy)
        .await
        .unwrap();
    results
        .store(vec![
            meta("ok", State::Success),
            meta("bad", State::Failure),
        ])
        .await
        .unwrap();
    let ttl = |id: &str| {
        server
            .cli(&["TTL", &format!("app_celery-task-meta-{id}")])
            .parse::<i64>()
            .unwrap()
    };
    assert!((86_000..=86_400).contains(&ttl("ok")) && (1..=70).contains(&ttl("bad")));
    let for_ever = ResultPolicy {
        expires: None,
        ..ResultPolicy::default()
    };
    let results = RedisResults::connect(options, for_ever).await.unwrap();
    results
        .store(vec![meta("kept", State::Success)])
        .await
        .unwrap();
    assert_eq!(ttl("kept"), -1);
    let text = server.cli(&["GET", "app_celery-task-meta-kept"]);
    assert!(
        text.starts_with(r#"{"status": "SUCCESS", "result": 1, "traceback": null, "children": []"#),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_survives_a_lost_connection() {
    let server = RedisServer::start();
    let results = RedisResults::connect(options(&server.url()), ResultPolicy::default())
        .await
        .unwrap();
    let mut stream = results.watch(vec!["t".to_owned()]).await.unwrap();
    server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    // Stored while nobody listens: found when the subscription is made again.
    results
        .store(vec![meta("t", State::Success)])
        .await
        .unwrap();
    let seen = tokio::time::timeout(crate::support::DEADLINE, stream.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((seen.task_id.as_str(), seen.status), ("t", State::Success));
    drop(stream);
    eventually(async || server.cli(&["PUBSUB", "CHANNELS"]).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_result_is_replaced_and_spoils_no_other_settlement() {
    let server = RedisServer::start();
    let broker = crate::support::open(&server).await;
    let ids = ["a", "b"];
    broker
        .publish(ids.map(|id| to_queue("q", id)).to_vec())
        .await
        .unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    server.cli(&["RPUSH", "celery-task-meta-b", "not", "a", "result"]);
    let settlements = take(&*consumer, 2)
        .await
        .iter()
        .zip(ids)
        .map(|(delivery, id)| Settlement {
            store: Some(meta(id, State::Success)),
            publish: vec![to_queue("next", id)],
            ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
        })
        .collect();
    assert_eq!(
        consumer.settle(settlements).await.unwrap(),
        [broker::Settled::Done; 2]
    );
    assert_eq!(server.cli(&["TYPE", "celery-task-meta-b"]), "string");
    assert_eq!(server.cli(&["LLEN", "next"]), "2");
}

//! Workers among themselves: mingle, gossip, elections.

use protocol::{Map, Signature, Value};
use worker::WorkerSettings;

use crate::commands::ask;
use crate::support::{Bench, eventually, settings};
use crate::tasks::{key, runs};

fn named(name: &str) -> WorkerSettings {
    WorkerSettings {
        hostname: name.to_owned(),
        ..settings(1)
    }
}

#[tokio::test]
async fn a_new_worker_learns_what_is_revoked_and_how_late_it_is() {
    let bench = Bench::with(client::ClientOptions {
        revokes_on_broker: false,
        ..client::ClientOptions::default()
    });
    let first = bench.worker(named("w2@test")).await;
    let revoke = bench.client.control().revoke(&["gone".to_owned()]);
    let revoke = revoke.destination(vec!["w2@test".to_owned()]);
    revoke
        .timeout(crate::support::DEADLINE)
        .collect()
        .await
        .unwrap();

    let second = bench.worker(named("w1@test")).await;
    eventually("it has mingled", || async {
        let revoked = ask(&bench, "revoked", Map::new()).await;
        (revoked == vec!["gone"].into()).then_some(())
    })
    .await;
    first.stop().await;
    second.stop().await;
}

/// An election among these workers, for a task that counts under the key.
async fn elect(bench: &Bench, key: &str) {
    let signature = Signature {
        kwargs: Map::from_iter([("key", key)]),
        ..Signature::new("demo.count")
    };
    let control = bench.client.control();
    control.election("the one", signature).send().await.unwrap();
}

#[tokio::test]
async fn an_elected_worker_sends_the_task_once() {
    let bench = Bench::new();
    let workers = [
        bench.worker(named("w1@test")).await,
        bench.worker(named("w2@test")).await,
        bench.worker(named("w3@test")).await,
    ];
    let mut events = bench.client.events("worker.#").await.unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 3 {
        seen.insert(events.next().await.unwrap().hostname);
    }
    let key = key();
    elect(&bench, &key).await;
    let mut acknowledged = 0;
    while acknowledged < 9 {
        let event = events.next().await.unwrap();
        acknowledged += usize::from(event.kind == "worker-elect-ack");
    }
    eventually("the leader has sent it", || async {
        (runs(&key) > 0).then_some(())
    })
    .await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(runs(&key), 1);
}

#[tokio::test]
async fn a_worker_without_gossip_runs_for_nothing() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            gossip: false,
            mingle: false,
            heartbeat_interval: None,
            ..settings(1)
        })
        .await;
    let mut events = bench.client.events("worker.#").await.unwrap();
    elect(&bench, &key()).await;
    assert_eq!(ask(&bench, "heartbeat", Map::new()).await, Value::Null);
    worker.stop().await;
    let silence = std::time::Duration::from_millis(50);
    let heard = tokio::time::timeout(silence, events.next()).await;
    assert!(
        heard.is_err(),
        "such a worker says nothing of itself: {heard:?}"
    );
}

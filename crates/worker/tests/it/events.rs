//! Events, compared with what Python's worker sent in the same situations.

use std::collections::{BTreeMap, BTreeSet};

use client::EventReceiver;
use protocol::event::Event;
use protocol::{Signature, Value};
use worker::{SendTask, WorkerSettings};

use crate::recorded::{case, cases, keys, list};
use crate::support::{Bench, DEADLINE, settings};
use crate::tasks::{Add, Decide, Fail, Flaky, Tell, key};

async fn next(events: &mut EventReceiver) -> Event {
    tokio::time::timeout(DEADLINE, events.next())
        .await
        .expect("an event comes")
        .expect("the broker is open")
}

/// The events of a task, up to and including the one of this type.
async fn until(events: &mut EventReceiver, uuid: &str, last: &str) -> Vec<Event> {
    let mut seen = Vec::new();
    loop {
        let event = next(events).await;
        let mine = event.text("uuid") == Some(uuid);
        let ended = mine && event.kind == last;
        if mine {
            seen.push(event);
        }
        if ended {
            return seen;
        }
    }
}

fn with_events() -> WorkerSettings {
    WorkerSettings {
        worker_send_task_events: true,
        ..settings(1)
    }
}

/// The events in a recorded message: one, or a list.
fn events_in(message: &Value) -> &[Value] {
    let body = message
        .get("decoded")
        .and_then(|decoded| decoded.get("body"))
        .expect("a decoded body");
    body.as_list().unwrap_or(std::slice::from_ref(body))
}

/// The fields of each recorded event type.
fn recorded() -> BTreeMap<String, BTreeSet<String>> {
    let mut fields = BTreeMap::new();
    for case in cases("worker_redis.json")
        .iter()
        .chain(&cases("lifecycle_redis.json"))
    {
        for event in list(case, "events").iter().flat_map(events_in) {
            let kind = event
                .get("type")
                .and_then(Value::as_str)
                .unwrap()
                .to_owned();
            fields.entry(kind).or_insert_with(|| keys(event));
        }
    }
    fields
}

/// Compares the fields of each event with the recorded ones, and says which types were compared.
fn compare(seen: &[Event]) -> BTreeSet<String> {
    let recorded = recorded();
    let mut compared = BTreeSet::new();
    for event in seen {
        if let Some(wanted) = recorded.get(event.kind.as_str()) {
            assert_eq!(
                &keys(&Value::Map(event.to_map())),
                wanted,
                "fields of {}",
                event.kind
            );
            compared.insert(event.kind.to_string());
        }
    }
    println!("event types compared with the recorded ones: {compared:?}");
    compared
}

#[tokio::test]
async fn a_tasks_life_is_told_in_order_with_the_recorded_fields() {
    let bench = Bench::new();
    let mut events = bench.client.events("#").await.unwrap();
    let worker = bench.worker(with_events()).await;
    let mut seen: Vec<Event> = vec![next(&mut events).await];
    let sum = bench.client.send(Add { x: 1, y: 2 }).await.unwrap();
    let life = until(&mut events, sum.id(), "task-succeeded").await;
    let kinds: Vec<&str> = life.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["task-received", "task-started", "task-succeeded"]);
    assert_eq!(life[0].text("kwargs"), Some("{'x': 1, 'y': 2}"));
    assert_eq!(life[2].text("result"), Some("3"));
    assert!(
        life.windows(2).all(|pair| pair[0].clock < pair[1].clock),
        "the clock moves on"
    );
    seen.extend(life);
    worker.stop().await;
    while seen
        .last()
        .is_none_or(|event| event.kind != "worker-offline")
    {
        seen.push(next(&mut events).await);
    }
    assert!(compare(&seen).len() >= 5);
}

#[tokio::test]
async fn every_end_is_told_with_the_recorded_fields() {
    let bench = Bench::new();
    let mut events = bench.client.events("task.#").await.unwrap();
    let worker = bench.worker(with_events()).await;
    let (value_error, os_error) = ("ValueError".to_owned(), "OSError".to_owned());
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let failing = bench.client.call(Fail {
        exc_type: value_error,
        message: "bad".to_owned(),
    });
    let flaky = bench.client.call(Flaky {
        key: key(),
        succeeds_at: 2,
        exc_type: os_error,
    });
    let rejecting = bench.client.call(Decide {
        key: key(),
        outcome: "reject".to_owned(),
    });
    let calls = [
        (failing.build(), "task-failed"),
        (flaky.build(), "task-retried"),
        (
            bench.client.call(Add { x: 1, y: 2 }).expires(past).build(),
            "task-revoked",
        ),
        (rejecting.build(), "task-rejected"),
    ];
    let mut seen = Vec::new();
    for (call, end) in calls {
        let sent = bench.client.send_all(vec![call.unwrap()]).await.unwrap();
        seen.extend(until(&mut events, sent[0].id(), end).await);
    }
    let failed = seen
        .iter()
        .find(|event| event.kind == "task-failed")
        .unwrap();
    assert_eq!(failed.text("exception"), Some("ValueError('bad')"));
    assert!(
        compare(&seen).is_superset(
            &["task-failed", "task-retried", "task-revoked"]
                .map(str::to_owned)
                .into()
        )
    );
    worker.stop().await;
}

#[tokio::test]
async fn task_events_are_sent_only_when_they_are_on() {
    let bench = Bench::new();
    let mut events = bench.client.events("task.#").await.unwrap();
    let worker = bench.worker(settings(1)).await;
    let quiet = bench.client.send(Add { x: 1, y: 2 }).await.unwrap();
    quiet.get(DEADLINE).await.unwrap();
    let replies = bench
        .client
        .control()
        .enable_events()
        .collect()
        .await
        .unwrap();
    assert_eq!(
        replies[0].value.get("ok").and_then(Value::as_str),
        Some("task events enabled")
    );
    let told = bench.client.send(Add { x: 1, y: 2 }).await.unwrap();
    assert_eq!(next(&mut events).await.text("uuid"), Some(told.id()));
    worker.stop().await;
}

#[tokio::test]
async fn heartbeats_come_by_themselves() {
    let bench = Bench::new();
    let mut events = bench.client.events("worker.#").await.unwrap();
    let interval = Some(std::time::Duration::from_millis(20));
    let worker = bench
        .worker(WorkerSettings {
            heartbeat_interval: interval,
            ..settings(1)
        })
        .await;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(next(&mut events).await.kind);
    }
    assert_eq!(
        kinds,
        ["worker-online", "worker-heartbeat", "worker-heartbeat"]
    );
    worker.stop().await;
}

#[tokio::test]
async fn the_client_tells_what_it_sends_when_asked_to() {
    let options = client::ClientOptions {
        task_send_sent_event: true,
        ..client::ClientOptions::default()
    };
    let bench = Bench::with(options);
    let mut events = bench.client.events("task.sent").await.unwrap();
    let sent = bench
        .client
        .task::<i64>("demo.add")
        .arg(1)
        .link(Signature::new("demo.add"))
        .send()
        .await
        .unwrap();
    let event = next(&mut events).await;
    assert_eq!(event.kind, "task-sent");
    assert_eq!(event.text("uuid"), Some(sent.id()));
    assert_eq!(event.text("args"), Some("(1,)"));
    let recorded = cases("producer_redis.json");
    let published = list(case(&recorded, "sent_event"), "published");
    let is_sent = |event: &&Value| event.get("type").and_then(Value::as_str) == Some("task-sent");
    let wanted = published.iter().flat_map(events_in).find(is_sent).map(keys);
    assert_eq!(Some(keys(&Value::Map(event.to_map()))), wanted);
}

/// As in Celery without `-E`, and alone under the key of its own kind.
#[tokio::test]
async fn a_task_sends_events_of_its_own() {
    let bench = Bench::new();
    let mut events = bench.client.events("task.half.done").await.unwrap();
    let worker = bench.worker(settings(1)).await;
    let sent = bench.client.send(Tell).await.unwrap();
    let event = next(&mut events).await;
    assert_eq!(event.kind, "task-half-done");
    assert_eq!(event.text("uuid"), Some(sent.id()));
    assert_eq!(event.hostname, "w1@test");
    assert_eq!(
        event.fields.get("percent").and_then(Value::as_i64),
        Some(50)
    );
    worker.stop().await;
}

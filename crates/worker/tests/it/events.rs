//! Events, compared with what Python's worker sent in the same situations.

use std::collections::{BTreeMap, BTreeSet};

use client::EventReceiver;
use protocol::event::Event;
use protocol::{Signature, Value};
use worker::{SendTask, WorkerSettings};

use crate::recorded::{case, cases, keys, list};
use crate::support::{Bench, DEADLINE, settings};
use crate::tasks::{Add, Decide, Fail, Flaky, key};

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

#[tokio::test]
async fn a_tasks_life_is_told_in_order_with_the_recorded_fields() {
    let recorded = recorded();
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

    let failed = bench
        .client
        .send(Fail {
            exc_type: "ValueError".to_owned(),
            message: "bad".to_owned(),
        })
        .await
        .unwrap();
    let life = until(&mut events, failed.id(), "task-failed").await;
    assert_eq!(
        life.last().unwrap().text("exception"),
        Some("ValueError('bad')")
    );
    seen.extend(life);

    let flaky = Flaky {
        key: key(),
        succeeds_at: 2,
        exc_type: "OSError".to_owned(),
    };
    let retried = bench.client.send(flaky).await.unwrap();
    seen.extend(until(&mut events, retried.id(), "task-retried").await);

    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let revoked = bench
        .client
        .call(Add { x: 1, y: 2 })
        .expires(past)
        .send()
        .await
        .unwrap();
    seen.extend(until(&mut events, revoked.id(), "task-revoked").await);

    let rejected = bench
        .client
        .send(Decide {
            key: key(),
            outcome: "reject".to_owned(),
        })
        .await
        .unwrap();
    seen.extend(until(&mut events, rejected.id(), "task-rejected").await);

    worker.stop().await;
    loop {
        let event = next(&mut events).await;
        let ended = event.kind == "worker-offline";
        seen.push(event);
        if ended {
            break;
        }
    }
    let mut compared = BTreeSet::new();
    for event in seen {
        if let Some(wanted) = recorded.get(&event.kind) {
            assert_eq!(
                &keys(&Value::Map(event.to_map())),
                wanted,
                "fields of {}",
                event.kind
            );
            compared.insert(event.kind);
        }
    }
    println!("event types compared with the recorded ones: {compared:?}");
    assert!(compared.len() >= 8, "{compared:?}");
}

#[tokio::test]
async fn task_events_are_sent_only_when_they_are_on() {
    let bench = Bench::new();
    let mut events = bench.client.events("task.#").await.unwrap();
    let worker = bench.worker(settings(1)).await;
    let quiet = bench.client.send(Add { x: 1, y: 2 }).await.unwrap();
    quiet.get(DEADLINE).await.unwrap();
    let replies = bench.client.control().enable_events().await.unwrap();
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

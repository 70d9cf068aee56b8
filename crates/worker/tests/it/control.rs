//! Remote control, compared with the answers that Python's worker gave.

use std::collections::BTreeSet;
use std::time::Duration;

use client::{Answers, Inspect};
use protocol::{Map, Value};
use worker::{SendTask, WorkerSettings};

use crate::recorded::{answer, cases, first, keys};
use crate::support::{Bench, eventually, settings};
use crate::tasks::{Count, Sleep, key, runs};

/// Asks the one worker, so that no answer is waited for in vain.
fn ask(bench: &Bench) -> Inspect {
    bench
        .client
        .control()
        .inspect()
        .destination(vec!["w1@test".to_owned()])
        .timeout(Duration::from_secs(20))
}

fn only(answers: Answers) -> Value {
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["w1@test"]);
    answers.into_values().next().unwrap()
}

/// A field of a map.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or_else(|| panic!("no field {name}"))
}

#[tokio::test]
async fn held_tasks_are_shown_in_the_recorded_shape() {
    let recorded = cases("control_redis.json");
    let bench = Bench::new();
    let settings = WorkerSettings {
        worker_prefetch_multiplier: 2,
        ..settings(1)
    };
    let worker = bench.worker(settings).await;
    let busy = Sleep {
        key: key(),
        seconds: 60.0,
    };
    let started = busy.key.clone();
    let running = bench.client.send(busy).await.unwrap();
    eventually("it runs", || async { (runs(&started) == 1).then_some(()) }).await;
    let reserved = bench.client.send(Count { key: key() }).await.unwrap();

    let active = only(ask(&bench).active().await.unwrap());
    let (active, wanted) = (first(&active), first(answer(&recorded, "inspect_active")));
    assert_eq!(keys(active), keys(wanted));
    assert_eq!(
        keys(field(active, "delivery_info")),
        keys(field(wanted, "delivery_info"))
    );
    assert_eq!(field(active, "id"), &Value::from(running.id()));

    let held = eventually("it is reserved", || async {
        let held = only(ask(&bench).reserved().await.unwrap());
        held.as_list().and_then(|held| held.first().cloned())
    })
    .await;
    assert_eq!(
        keys(&held),
        keys(first(answer(&recorded, "inspect_dump_reserved")))
    );
    assert_eq!(field(&held, "id"), &Value::from(reserved.id()));

    let ids = [running.id().to_owned(), "nope".to_owned()];
    let query = only(ask(&bench).query_task(&ids).await.unwrap());
    assert_eq!(keys(&query), BTreeSet::from([running.id().to_owned()]));
    assert_eq!(
        field(&query, running.id()),
        &Value::List(vec!["active".into(), active.clone()])
    );
    worker.kill().await;
}

#[tokio::test]
async fn what_waits_for_its_time_is_shown_in_the_recorded_shape() {
    let recorded = cases("control_redis.json");
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let call = bench.client.call(Count { key: key() });
    let later = call
        .countdown(Duration::from_secs(3_600))
        .send()
        .await
        .unwrap();
    let scheduled = eventually("the countdown waits on the broker", || async {
        let scheduled = only(ask(&bench).scheduled().await.unwrap());
        scheduled
            .as_list()
            .and_then(|scheduled| scheduled.first().cloned())
    })
    .await;
    let wanted = first(answer(&recorded, "inspect_scheduled"));
    assert_eq!(keys(&scheduled), keys(wanted));
    let request = field(&scheduled, "request");
    assert_eq!(keys(request), keys(field(wanted, "request")));
    assert_eq!(field(request, "id"), &Value::from(later.id()));
    let query = only(
        ask(&bench)
            .query_task(&[later.id().to_owned()])
            .await
            .unwrap(),
    );
    assert_eq!(first(field(&query, later.id())), &Value::from("scheduled"));
    worker.kill().await;
}

#[tokio::test]
async fn numbers_and_queues_are_shown_in_the_recorded_shape() {
    let recorded = cases("control_redis.json");
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let stats = only(ask(&bench).stats().await.unwrap());
    let wanted = answer(&recorded, "inspect_stats");
    assert_eq!(keys(&stats), keys(wanted));
    assert_eq!(keys(field(&stats, "rusage")), keys(field(wanted, "rusage")));
    assert!(
        field(&stats, "clock").as_str().is_some(),
        "Celery tells it as text"
    );

    let queues = only(ask(&bench).active_queues().await.unwrap());
    let (queue, wanted) = (
        first(&queues),
        first(answer(&recorded, "inspect_active_queues")),
    );
    assert_eq!(keys(queue), keys(wanted));
    assert_eq!(
        keys(field(queue, "exchange")),
        keys(field(wanted, "exchange"))
    );
    worker.stop().await;
}

#[tokio::test]
async fn small_answers_are_celerys() {
    let bench = Bench::new();
    let conf = Map::from_iter([("broker_url", "memory://")]);
    let worker = bench
        .worker(WorkerSettings {
            conf,
            ..settings(1)
        })
        .await;
    let inspect = ask(&bench);
    let ok = |value: &str| Value::Map(Map::from_iter([("ok", value)]));
    assert_eq!(only(inspect.ping().await.unwrap()), ok("pong"));
    assert_eq!(
        only(inspect.conf().await.unwrap()).get("broker_url"),
        Some(&Value::from("memory://"))
    );
    assert!(
        only(inspect.clock().await.unwrap())
            .get("clock")
            .unwrap()
            .as_i64()
            .is_some()
    );
    assert!(
        only(inspect.report().await.unwrap())
            .get("ok")
            .unwrap()
            .as_str()
            .unwrap()
            .contains("celeriac")
    );
    let registered = only(inspect.registered().await.unwrap());
    assert!(
        registered
            .as_list()
            .unwrap()
            .contains(&Value::from("demo.add"))
    );
    let unknown = only(inspect.ask("no_such", Map::new()).await.unwrap());
    assert_eq!(
        unknown.get("error").and_then(Value::as_str),
        Some("KeyError('no_such')")
    );
    worker.stop().await;
}

#[tokio::test]
async fn commands_answer_with_celerys_words() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let inspect = ask(&bench);
    let revoke = Map::from_iter([("task_id", "some-id")]);
    let terminate = Map::from_iter([
        ("task_id", Value::from("other")),
        ("terminate", true.into()),
    ]);
    let commands = [
        ("revoke", revoke, "tasks {'some-id'} flagged as revoked"),
        ("revoke", terminate, "terminate: tasks unknown"),
        ("enable_events", Map::new(), "task events enabled"),
        ("enable_events", Map::new(), "task events already enabled"),
        ("disable_events", Map::new(), "task events disabled"),
        ("disable_events", Map::new(), "task events already disabled"),
    ];
    for (command, arguments, wanted) in commands {
        let answer = only(inspect.ask(command, arguments).await.unwrap());
        assert_eq!(answer.get("ok").and_then(Value::as_str), Some(wanted));
    }
    assert_eq!(
        only(inspect.revoked().await.unwrap()),
        vec!["some-id", "other"].into()
    );
    let hello = Map::from_iter([
        ("from_node", Value::from("w2@test")),
        ("revoked", vec!["third"].into()),
    ]);
    let hello = only(inspect.ask("hello", hello).await.unwrap());
    assert_eq!(
        hello.get("revoked"),
        Some(&vec!["some-id", "other", "third"].into())
    );
    worker.stop().await;
}

#[tokio::test]
async fn only_the_addressed_node_answers() {
    let bench = Bench::new();
    let first = bench.worker(settings(1)).await;
    let second = bench
        .worker(WorkerSettings {
            hostname: "w2@test".to_owned(),
            ..settings(1)
        })
        .await;
    let control = bench.client.control();
    let ping = |pattern: &str, matcher: &str| {
        control
            .request("ping", Map::new())
            .pattern(pattern, matcher)
            .timeout(Duration::from_millis(500))
            .collect()
    };
    let nodes = |replies: Vec<protocol::control::Reply>| {
        replies
            .into_iter()
            .map(|reply| reply.node)
            .collect::<Vec<_>>()
    };
    assert_eq!(nodes(ping("w2@*", "glob").await.unwrap()), ["w2@test"]);
    assert_eq!(nodes(ping("w[1]@.*", "pcre").await.unwrap()), ["w1@test"]);
    let mut all = nodes(
        control
            .ping()
            .timeout(Duration::from_millis(500))
            .collect()
            .await
            .unwrap(),
    );
    all.sort();
    assert_eq!(all, ["w1@test", "w2@test"]);
    control
        .shutdown()
        .destination(vec!["w2@test".to_owned()])
        .send()
        .await
        .unwrap();
    second.ended().await;
    first.stop().await;
}

#[tokio::test]
async fn nonsense_on_the_control_exchange_ends_nothing() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    for body in ["null", "[]", "{\"method\": 3}", "{"] {
        let message = protocol::Message {
            content_type: "application/json".to_owned(),
            content_encoding: "utf-8".to_owned(),
            body: body.into(),
            ..protocol::Message::default()
        };
        bench
            .backends()
            .broker
            .broadcast("celery.pidbox", "", message)
            .await
            .unwrap();
    }
    assert_eq!(ask(&bench).ping().await.unwrap().len(), 1);
    worker.stop().await;
}

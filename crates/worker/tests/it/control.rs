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

#[tokio::test]
async fn answers_have_the_recorded_shapes() {
    let recorded = cases("control_redis.json");
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            worker_prefetch_multiplier: 2,
            ..settings(1)
        })
        .await;
    let (busy, waiting) = (key(), key());
    let running = bench
        .client
        .send(Sleep {
            key: busy.clone(),
            seconds: 60.0,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let reserved = bench.client.send(Count { key: waiting }).await.unwrap();
    let later = bench
        .client
        .call(Count { key: key() })
        .queue("celery")
        .countdown(Duration::from_secs(3_600))
        .send()
        .await
        .unwrap();
    let inspect = ask(&bench);

    let active = only(inspect.active().await.unwrap());
    let wanted = answer(&recorded, "inspect_active");
    assert_eq!(keys(first(&active)), keys(first(wanted)));
    assert_eq!(
        keys(first(&active).get("delivery_info").unwrap()),
        keys(first(wanted).get("delivery_info").unwrap())
    );
    assert_eq!(first(&active).get("id"), Some(&Value::from(running.id())));

    let held = eventually("it is reserved", || async {
        let held = only(inspect.reserved().await.unwrap());
        held.as_list().and_then(|held| held.first().cloned())
    })
    .await;
    assert_eq!(
        keys(&held),
        keys(first(answer(&recorded, "inspect_dump_reserved")))
    );
    assert_eq!(held.get("id"), Some(&Value::from(reserved.id())));

    let stats = only(inspect.stats().await.unwrap());
    let wanted = answer(&recorded, "inspect_stats");
    assert_eq!(keys(&stats), keys(wanted));
    assert_eq!(
        keys(stats.get("rusage").unwrap()),
        keys(wanted.get("rusage").unwrap())
    );
    assert!(
        stats.get("clock").unwrap().as_str().is_some(),
        "Celery tells it as text"
    );

    let queues = only(inspect.active_queues().await.unwrap());
    let wanted = answer(&recorded, "inspect_active_queues");
    assert_eq!(keys(first(&queues)), keys(first(wanted)));
    assert_eq!(
        keys(first(&queues).get("exchange").unwrap()),
        keys(first(wanted).get("exchange").unwrap())
    );

    let wanted = answer(&recorded, "inspect_query_task");
    let ids = [running.id().to_owned(), "nope".to_owned()];
    let query = only(inspect.query_task(&ids).await.unwrap());
    assert_eq!(keys(&query), BTreeSet::from([running.id().to_owned()]));
    let pair = query.get(running.id()).unwrap().as_list().unwrap();
    assert_eq!(pair[0], Value::from("active"));
    assert_eq!(
        pair.len(),
        wanted
            .as_map()
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .1
            .as_list()
            .unwrap()
            .len()
    );

    worker.kill().await;
    let worker = bench.worker(settings(2)).await;
    let scheduled = eventually("the countdown waits on the broker", || async {
        let scheduled = only(inspect.scheduled().await.unwrap());
        scheduled
            .as_list()
            .and_then(|scheduled| scheduled.first().cloned())
    })
    .await;
    assert_eq!(
        keys(&scheduled),
        keys(first(answer(&recorded, "inspect_scheduled")))
    );
    assert_eq!(
        scheduled
            .get("request")
            .and_then(|request| request.get("id")),
        Some(&Value::from(later.id()))
    );
    worker.kill().await;
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
    let arguments = Map::from_iter([("task_id", "some-id")]);
    assert_eq!(
        only(inspect.ask("revoke", arguments).await.unwrap()),
        ok("tasks {'some-id'} flagged as revoked")
    );
    assert_eq!(
        only(inspect.revoked().await.unwrap()),
        vec!["some-id"].into()
    );
    let arguments = Map::from_iter([
        ("task_id", Value::from("other")),
        ("terminate", true.into()),
    ]);
    assert_eq!(
        only(inspect.ask("revoke", arguments).await.unwrap()),
        ok("terminate: tasks unknown")
    );
    assert_eq!(
        only(inspect.ask("enable_events", Map::new()).await.unwrap()),
        ok("task events enabled")
    );
    assert_eq!(
        only(inspect.ask("enable_events", Map::new()).await.unwrap()),
        ok("task events already enabled")
    );
    assert_eq!(
        only(inspect.ask("disable_events", Map::new()).await.unwrap()),
        ok("task events disabled")
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
    let mut all = nodes(control.ping(Duration::from_millis(500)).await.unwrap());
    all.sort();
    assert_eq!(all, ["w1@test", "w2@test"]);
    control.shutdown(vec!["w2@test".to_owned()]).await.unwrap();
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

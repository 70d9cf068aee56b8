//! Remote control's commands, with the answers that Python's worker gave to the same requests.

mod own;

use std::sync::Arc;
use std::time::Duration;

use protocol::{Map, Value};
use worker::{Failure, Registry, SendTask, WorkerSettings};

use crate::recorded::{cases, keys};
use crate::support::{Bench, Running, eventually, settings};
use crate::tasks::{Add, Count, Sleep, key, registry, runs};

/// What the one worker answers.
pub(crate) async fn ask(bench: &Bench, command: &str, arguments: Map) -> Value {
    let request = bench.client.control().request(command, arguments);
    let request = request.destination(vec!["w1@test".to_owned()]);
    let replies = request
        .timeout(Duration::from_secs(20))
        .collect()
        .await
        .unwrap();
    assert_eq!(replies.len(), 1, "{command} is answered once");
    replies.into_iter().next().unwrap().value
}

/// The text of an `{"ok": …}` or `{"error": …}`.
pub(crate) fn said(answer: &Value) -> (&str, &str) {
    let (kind, text) = answer.as_map().and_then(|map| map.iter().next()).unwrap();
    (kind, text.as_str().unwrap_or_default())
}

fn arguments<const N: usize>(pairs: [(&str, Value); N]) -> Map {
    Map::from_iter(pairs)
}

/// Python prints sets in any order.
fn comparable(value: &Value) -> String {
    let mut text = protocol::python_repr(value);
    if text.contains("tasks {") {
        let mut words: Vec<&str> = text.split(['{', '}', ',']).map(str::trim).collect();
        words.sort_unstable();
        text = words.join(" ");
    }
    text
}

/// Commands whose answers depend on nothing but the request.
const SAME: &[&str] = &[
    "inspect_ping",
    "unknown_command",
    "bad_arguments",
    "control_revoke",
    "control_revoke_terminate",
    "control_revoke_headers",
    "control_rate_limit",
    "control_time_limit",
    "control_add_consumer",
    "control_cancel_consumer",
    "control_autoscale",
    "control_terminate",
    "control_heartbeat",
];

#[tokio::test]
async fn answers_are_the_recorded_ones_to_the_letter() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let mut compared = 0;
    for case in cases("control_redis.json") {
        let kind = case.get("kind").and_then(Value::as_str).unwrap();
        let recorded = case.get("collected").and_then(Value::as_list);
        let Some(recorded) = recorded.filter(|_| SAME.contains(&kind)) else {
            continue;
        };
        let request = case
            .get("call")
            .and_then(|call| call.get("kwargs"))
            .unwrap();
        let command = request.get("command").and_then(Value::as_str).unwrap();
        let arguments = request.get("arguments").and_then(Value::as_map).unwrap();
        let wanted = recorded[0].as_map().unwrap().iter().next().unwrap().1;
        let answer = ask(&bench, command, arguments.clone()).await;
        assert_eq!(comparable(&answer), comparable(wanted), "{kind}");
        compared += 1;
    }
    assert_eq!(compared, 28);
    worker.stop().await;
}

#[tokio::test]
async fn wrong_arguments_are_refused_as_python_does() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let refused = [
        (
            "revoke",
            Map::new(),
            "TypeError(\"revoke() missing 1 required positional argument: 'task_id'\")",
        ),
        (
            "enable_events",
            arguments([("n", 1_i64.into())]),
            "TypeError(\"enable_events() got an unexpected keyword argument 'n'\")",
        ),
        (
            "revoke",
            arguments([
                ("task_id", "x".into()),
                ("terminate", true.into()),
                ("signal", "term".into()),
            ]),
            "TypeError('signal name must be uppercase string.')",
        ),
        (
            "revoke",
            arguments([
                ("task_id", "x".into()),
                ("terminate", true.into()),
                ("signal", "FOO".into()),
            ]),
            "AttributeError(\"module 'signal' has no attribute 'SIGFOO'\")",
        ),
        (
            "rate_limit",
            arguments([
                ("task_name", "no.such".into()),
                ("rate_limit", "1/s".into()),
            ]),
            "unknown task",
        ),
        (
            "rate_limit",
            arguments([
                ("task_name", "demo.add".into()),
                ("rate_limit", "fast".into()),
            ]),
            "Invalid rate limit string: ValueError(\"could not convert string to float: 'fast'\")",
        ),
        (
            "rate_limit",
            arguments([
                ("task_name", "demo.add".into()),
                ("rate_limit", "1/x".into()),
            ]),
            "KeyError('x')",
        ),
        (
            "time_limit",
            arguments([("task_name", "no.such".into()), ("hard", 1_i64.into())]),
            "unknown task",
        ),
        (
            "pool_restart",
            Map::new(),
            "ValueError('Pool restarts not enabled')",
        ),
        (
            "objgraph",
            arguments([("type", "Request".into())]),
            "ImportError('Requires the objgraph library')",
        ),
    ];
    for (command, arguments, wanted) in refused {
        let answer = ask(&bench, command, arguments).await;
        assert_eq!(said(&answer), ("error", wanted));
    }
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

#[tokio::test]
async fn memory_is_told_in_celerys_form() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let sample = ask(&bench, "memsample", Map::new()).await;
    assert!(sample.as_str().unwrap().ends_with("MB"), "{sample:?}");
    let dump = ask(&bench, "memdump", Map::new()).await;
    let dump = dump.as_str().unwrap();
    assert!(
        dump.starts_with(&format!(
            "- rss (sample):\n-    > {},\n- rss (end): ",
            sample.as_str().unwrap()
        )),
        "{dump}"
    );
    let again = ask(&bench, "memdump", Map::new()).await;
    assert!(again.as_str().unwrap().starts_with("- rss (end): "));
    worker.stop().await;
}

#[tokio::test]
async fn settings_are_told_with_their_defaults_when_asked_for() {
    let bench = Bench::new();
    let conf = Map::from_iter([("timezone", "UTC")]);
    let conf_defaults = Map::from_iter([("enable_utc", true)]);
    let worker = bench
        .worker(WorkerSettings {
            conf,
            conf_defaults,
            ..settings(1)
        })
        .await;
    let some = ask(&bench, "conf", Map::new()).await;
    // What was set, and `deprecated_settings`, which Celery always shows.
    assert_eq!(keys(&some).len(), 2);
    let all = ask(
        &bench,
        "dump_conf",
        arguments([("with_defaults", "true".into())]),
    )
    .await;
    assert_eq!(keys(&all).len(), 3);
    worker.stop().await;
}

#[tokio::test]
async fn active_arguments_are_texts_when_asked_for_safely() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let busy = key();
    let task = Sleep {
        key: busy.clone(),
        seconds: 60.0,
    };
    bench.client.send(task).await.unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let active = ask(&bench, "active", arguments([("safe", true.into())])).await;
    let kwargs = active.as_list().unwrap()[0].get("kwargs").unwrap();
    assert!(kwargs.as_str().unwrap().starts_with('{'), "{kwargs:?}");
    worker.kill().await;
}

#[tokio::test]
async fn registered_shows_the_options_that_hold_now() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let limit = arguments([
        ("task_name", "demo.add".into()),
        ("rate_limit", "7/m".into()),
    ]);
    ask(&bench, "rate_limit", limit).await;
    let listed = |answer: Value, text: &str| answer.as_list().unwrap().contains(&text.into());
    let plain = ask(&bench, "registered", Map::new()).await;
    assert!(listed(plain, "demo.add [rate_limit=7/m]"));
    let items = arguments([("taskinfoitems", vec!["max_retries", "acks_late"].into())]);
    let with_items = ask(&bench, "registered", items).await;
    assert!(listed(
        with_items,
        "demo.add [max_retries=3 acks_late=True]"
    ));
    worker.stop().await;
}

#[tokio::test]
async fn queues_are_added_and_cancelled_while_the_worker_runs() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let send = |queue: &str| {
        let key = key();
        let call = bench.client.call(Count { key: key.clone() }).queue(queue);
        async move {
            call.send().await.unwrap();
            key
        }
    };
    let waits = send("extra").await;
    ask(
        &bench,
        "add_consumer",
        arguments([("queue", "extra".into())]),
    )
    .await;
    eventually("the new queue is consumed", || async {
        (runs(&waits) == 1).then_some(())
    })
    .await;
    let names = |queues: Value| -> Vec<String> {
        let queues = queues.as_list().unwrap().iter();
        queues
            .map(|queue| queue.get("name").unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(ask(&bench, "active_queues", Map::new()).await),
        ["celery", "extra"]
    );

    for queue in ["extra", "celery"] {
        ask(
            &bench,
            "cancel_consumer",
            arguments([("queue", queue.into())]),
        )
        .await;
    }
    let left = send("celery").await;
    assert!(names(ask(&bench, "active_queues", Map::new()).await).is_empty());
    assert_eq!(bench.ready("celery").await, 1);
    ask(
        &bench,
        "add_consumer",
        arguments([("queue", "celery".into())]),
    )
    .await;
    eventually("it is consumed again", || async {
        (runs(&left) == 1).then_some(())
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn a_queue_is_bound_to_the_exchange_that_it_is_consumed_from() {
    use broker::{Admin, ExchangeKind, Publish, Route};
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let consumer = |queue: &str, exchange: &str, kind: &str, key: &str| {
        arguments([
            ("queue", queue.into()),
            ("exchange", exchange.into()),
            ("exchange_type", kind.into()),
            ("routing_key", key.into()),
        ])
    };
    let added = consumer("orders", "shop", "topic", "order.#");
    let answer = ask(&bench, "add_consumer", added).await;
    assert_eq!(said(&answer), ("ok", "add consumer orders"));
    let bindings = bench.broker.bindings().await.unwrap();
    assert!(bindings.iter().any(|binding| binding.exchange == "shop"));
    let key = key();
    let mut call = client::TaskCall::new("demo.count");
    call.kwargs.insert("key", key.as_str());
    let message = bench.client.prepare(call).unwrap().publish.message;
    let route = Route::Exchange {
        name: "shop".to_owned(),
        kind: ExchangeKind::Topic,
        routing_key: "order.new".to_owned(),
    };
    let broker = &bench.backends().broker;
    broker
        .publish(vec![Publish { message, route }])
        .await
        .unwrap();
    eventually("it reaches the queue", || async {
        (runs(&key) == 1).then_some(())
    })
    .await;
    for (kind, why) in [
        ("fanout", "BrokerError"),
        ("headers", "KeyError('headers')"),
    ] {
        let added = consumer("others", "shop", kind, "");
        let answer = ask(&bench, "add_consumer", added).await;
        let (said, text) = said(&answer);
        assert!(said == "error" && text.starts_with(why), "{text}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_reply_to_nobody_does_no_harm() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let mut request = protocol::control::Request::new("ping", Map::new());
    request.ticket = Some("ticket".to_owned());
    request.reply_to = Some(protocol::control::ReplyTo {
        exchange: "no.such.exchange".to_owned(),
        routing_key: "nobody".to_owned(),
    });
    let message = request.to_message(protocol::Codec::Json, "tag").unwrap();
    let broker = &bench.backends().broker;
    broker
        .broadcast("celery.pidbox", "", message)
        .await
        .unwrap();
    assert_eq!(said(&ask(&bench, "ping", Map::new()).await), ("ok", "pong"));
    worker.stop().await;
}

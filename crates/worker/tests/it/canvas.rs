//! Callbacks, chains, errbacks, groups and children.

use protocol::{Signature, State, Value};
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Add, Decide, Fail, Spawn, key};

fn add(y: i64) -> Signature {
    Signature::new("demo.add").args(vec![y.into()])
}

fn composite(kind: &str, tasks: Vec<Signature>) -> Signature {
    let tasks = Value::List(tasks.into_iter().map(Value::from).collect());
    let mut signature = Signature::new(format!("celery.{kind}")).kwarg("tasks", tasks);
    signature.subtask_type = Some(kind.to_owned());
    signature
}

#[tokio::test]
async fn a_link_gets_the_result_and_is_a_child() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let linked = bench
        .client
        .call(Add { x: 1, y: 2 })
        .link(add(10).option("task_id", "linked-1"))
        .send()
        .await
        .unwrap();
    let next = bench.client.result::<i64>("linked-1");
    assert_eq!(next.get(DEADLINE).await.unwrap(), 13);
    let meta = next.meta().await.unwrap().unwrap();
    assert_eq!(meta.parent_id.as_deref(), Some(linked.id()));
    let children = linked.meta().await.unwrap().unwrap().children.unwrap();
    assert_eq!(children.len(), 1);
    assert_eq!(children[0].id, "linked-1");
    worker.stop().await;
}

#[tokio::test]
async fn several_links_run_as_one_group() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let call = bench.client.call(Add { x: 1, y: 2 });
    call.link(add(1).option("task_id", "g-1"))
        .link(add(2).option("task_id", "g-2"))
        .send()
        .await
        .unwrap();
    assert_eq!(bench.number("g-1").await, 4);
    assert_eq!(bench.number("g-2").await, 5);
    let groups = [
        bench.client.result::<i64>("g-1").meta().await,
        bench.client.result::<i64>("g-2").meta().await,
    ];
    let [first, second] = groups.map(|meta| meta.unwrap().unwrap().group_id);
    assert!(first.is_some() && first == second);
    worker.stop().await;
}

#[tokio::test]
async fn a_chain_hands_its_result_on_step_by_step() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let first = Signature::new("demo.add").args(vec![1_i64.into(), 2_i64.into()]);
    let last = add(30).option("task_id", "last");
    bench
        .client
        .apply(composite(
            "chain",
            vec![first, add(10), composite("chain", vec![add(20), last])],
        ))
        .await
        .unwrap();
    assert_eq!(bench.number("last").await, 63);
    worker.stop().await;
}

#[tokio::test]
async fn a_group_step_runs_every_member_with_the_result() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let first = Signature::new("demo.add").args(vec![1_i64.into(), 2_i64.into()]);
    let group = composite(
        "group",
        vec![
            add(1).option("task_id", "m-1"),
            add(2).option("task_id", "m-2"),
        ],
    );
    bench
        .client
        .apply(composite("chain", vec![first, group]))
        .await
        .unwrap();
    assert_eq!(bench.number("m-1").await, 4);
    assert_eq!(bench.number("m-2").await, 5);
    worker.stop().await;
}

#[tokio::test]
async fn a_failure_ends_the_whole_chain_and_calls_the_errbacks() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let fail = Fail {
        exc_type: "ValueError".to_owned(),
        message: "bad".to_owned(),
    };
    let errback = Signature::new("demo.decide")
        .kwarg("outcome", "ok")
        .option("task_id", "errback");
    let failing = bench.client.call(fail).link_error(errback).build().unwrap();
    let mut call = failing;
    let never = vec![
        add(2).option("task_id", "never-2"),
        add(1).option("task_id", "never-1"),
    ];
    call.options.embed.chain = Some(never.into());
    bench.client.send_all(vec![call]).await.unwrap();
    for id in ["never-1", "never-2"] {
        let (exc_type, message) =
            exception(&state(&bench.client.result::<i64>(id), &State::Failure).await);
        assert_eq!((exc_type.as_str(), message.as_str()), ("ValueError", "bad"));
    }
    let called = bench.client.result::<String>("errback");
    assert_eq!(
        called.get(DEADLINE).await.unwrap(),
        "redelivered",
        "the failed task's id became its key"
    );
    assert!(called.meta().await.unwrap().unwrap().group_id.is_some());
    worker.stop().await;
}

#[tokio::test]
async fn a_failure_after_an_early_acknowledgement_ends_the_chain_too() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            task_acks_late: false,
            ..settings(1)
        })
        .await;
    let fail = Fail {
        exc_type: "ValueError".to_owned(),
        message: "bad".to_owned(),
    };
    let mut call = bench.client.call(fail).build().unwrap();
    call.options.embed.chain = Some(vec![add(1).option("task_id", "never")].into());
    bench.client.send_all(vec![call]).await.unwrap();
    state(&bench.client.result::<i64>("never"), &State::Failure).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_task_that_a_task_sends_is_its_child_in_the_same_work_flow() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let parent = bench
        .client
        .call(Spawn { x: 41 })
        .header("traceparent", traceparent)
        .send()
        .await
        .unwrap();
    let child_id = parent.get(DEADLINE).await.unwrap();
    let child = bench.client.result::<i64>(child_id.clone());
    assert_eq!(child.get(DEADLINE).await.unwrap(), 42);
    assert_eq!(
        child.meta().await.unwrap().unwrap().parent_id.as_deref(),
        Some(parent.id())
    );
    let children = parent.meta().await.unwrap().unwrap().children.unwrap();
    assert_eq!(
        children
            .iter()
            .map(|child| child.id.as_str())
            .collect::<Vec<_>>(),
        [child_id.as_str()]
    );
    worker.stop().await;
}

#[tokio::test]
async fn trace_context_travels_with_callbacks() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let elsewhere = Signature::new("demo.decide").option("queue", "elsewhere");
    let decide = Decide {
        key: key(),
        outcome: "ok".to_owned(),
    };
    bench
        .client
        .call(decide)
        .header("traceparent", traceparent)
        .link(elsewhere)
        .send()
        .await
        .unwrap();
    let raw = eventually("the callback is sent", || async {
        broker::Admin::peek(&bench.broker, "elsewhere", 1)
            .await
            .unwrap()
            .into_iter()
            .next()
    })
    .await;
    let message = protocol::Message::from_envelope(&raw, &protocol::Limits::default()).unwrap();
    assert_eq!(
        message.headers.extra.get("traceparent"),
        Some(&Value::from(traceparent))
    );
    worker.stop().await;
}

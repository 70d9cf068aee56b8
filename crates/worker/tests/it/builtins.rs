//! Celery's built-in tasks, as Python producers send them.

use client::AsyncResult;
use protocol::{Canvas, Signature, State, Value};

use crate::flows::{add, chain, collect, fail, json, signature, sum};
use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Block, key};

async fn value(bench: &Bench, id: &str) -> String {
    let result: AsyncResult<Value> = bench.client.result(id);
    json(&result.get(DEADLINE).await.unwrap())
}

/// What a task of this name gives.
async fn called(signature: Signature) -> String {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let called = signature.option("task_id", "t");
    bench.client.apply(called).await.unwrap();
    let value = value(&bench, "t").await;
    worker.stop().await;
    value
}

/// How it fails.
async fn failing(signature: Signature) -> (String, String) {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let called = signature.option("task_id", "t");
    bench.client.apply(called).await.unwrap();
    let result: AsyncResult<Value> = bench.client.result("t");
    let told = exception(&state(&result, &State::Failure).await);
    worker.stop().await;
    told
}

fn items(items: &[(i64, i64)]) -> Value {
    let pairs = items.iter().map(|&(x, y)| vec![x, y].into());
    Value::List(pairs.collect())
}

#[tokio::test]
async fn accumulate_gives_its_arguments_or_one_of_them() {
    let args = || Signature::new("celery.accumulate").args(vec![1.into(), 2.into()]);
    assert_eq!(called(args()).await, "[1, 2]");
    assert_eq!(called(args().kwarg("index", 1)).await, "2");
    assert_eq!(called(args().kwarg("index", -2)).await, "1");
    assert_eq!(failing(args().kwarg("index", 2)).await.0, "IndexError");
}

#[tokio::test]
async fn map_and_starmap_run_their_task_for_each_item() {
    let starmap = |task: Signature| {
        let task = Box::new(task);
        let it = vec![vec![1, 2].into(), vec![3, 4].into()];
        Canvas::Starmap { task, it }.into_signature().unwrap()
    };
    assert_eq!(called(starmap(sum(0, 0))).await, "[3, 7]");
    let map = Canvas::Map {
        task: Box::new(Signature::new("demo.collect")),
        it: vec![1.into(), vec![2].into()],
    };
    assert_eq!(called(map.into_signature().unwrap()).await, "[[1], [[2]]]");
    let nowhere = failing(starmap(Signature::new("demo.nowhere"))).await;
    assert_eq!(
        nowhere,
        ("NotRegistered".to_owned(), "demo.nowhere".to_owned())
    );
    let Canvas::Starmap { task, .. } = starmap(fail("bad")).canvas().unwrap() else {
        panic!("a starmap")
    };
    let it = vec![vec!["KeyError", "no such key"].into()];
    let failed = Canvas::Starmap { task, it }.into_signature().unwrap();
    let told = failing(failed).await;
    assert_eq!(told, ("KeyError".to_owned(), "no such key".to_owned()));
}

#[tokio::test]
async fn a_map_of_a_blocking_task_runs_on_a_thread() {
    let block = signature(Block {
        key: key(),
        seconds: 0.0,
        asks: false,
    });
    let starmap = Canvas::Starmap {
        task: Box::new(block),
        it: vec![Value::List(vec![key().into(), 0.0.into(), false.into()])],
    };
    assert_eq!(
        called(starmap.into_signature().unwrap()).await,
        r#"["task"]"#
    );
}

#[tokio::test]
async fn chunks_group_and_chord_start_what_they_stand_for() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let chunks = Signature::new("celery.chunks")
        .kwarg("task", sum(0, 0))
        .kwarg("it", items(&[(1, 1), (2, 2), (3, 3)]))
        .kwarg("n", 2)
        .option("task_id", "chunks");
    let chord = Signature::new("celery.chord")
        .kwarg("header", Value::List(vec![sum(1, 1).into()]))
        .kwarg("body", collect("body"));
    let group = Signature::new("celery.group")
        .kwarg(
            "tasks",
            Value::List(vec![add(1).option("task_id", "member").into()]),
        )
        .kwarg("result", Value::Null)
        .kwarg("group_id", "g")
        .kwarg("partial_args", vec![5]);
    for task in [chunks, chord, group] {
        bench.client.apply(task).await.unwrap();
    }
    assert_eq!(value(&bench, "body").await, "[[2]]");
    assert_eq!(value(&bench, "member").await, "6");
    let handle: AsyncResult<Value> = bench.client.result("chunks");
    let handle = handle.get(DEADLINE).await.unwrap();
    let group = protocol::ResultTuple::from_value(handle).unwrap();
    let parts = group.children.unwrap();
    assert_eq!(value(&bench, &parts[0].id).await, "[2, 4]");
    assert_eq!(value(&bench, &parts[1].id).await, "[6]");
    worker.stop().await;
}

#[tokio::test]
async fn a_chain_is_no_real_task() {
    let (kind, message) = failing(Signature::new("celery.chain")).await;
    assert_eq!(kind, "NotImplementedError");
    assert_eq!(message, "chain is not a real task");
}

#[tokio::test]
async fn backend_cleanup_runs() {
    assert_eq!(
        called(Signature::new("celery.backend_cleanup")).await,
        "null"
    );
}

/// `celery.chord_unlock` for these members, as a producer sends it whose backend does not count.
fn unlock(members: &[&str], body: Signature, max_retries: Option<i64>) -> Signature {
    let tuples = members
        .iter()
        .map(|id| Value::from(&protocol::ResultTuple::task(*id)));
    Signature::new("celery.chord_unlock")
        .args(vec!["g".into(), body.into()])
        .kwarg("result", Value::List(tuples.collect()))
        .kwarg("interval", 0.01)
        .kwarg("max_retries", max_retries)
        .kwarg("_chord_unlock_exchange_type", "direct")
}

#[tokio::test]
async fn chord_unlock_waits_for_the_members_and_calls_the_body() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let flow = unlock(&["a", "b"], collect("body"), None).option("task_id", "unlock");
    bench.client.apply(flow).await.unwrap();
    let first = sum(1, 1).option("task_id", "a");
    bench.client.apply(first).await.unwrap();
    let looking: AsyncResult<Value> = bench.client.result("a");
    looking.get(DEADLINE).await.unwrap();
    let second = chain([sum(1, 1), add(1).option("task_id", "b")]);
    bench.client.apply(second).await.unwrap();
    assert_eq!(value(&bench, "body").await, "[[2, 3]]");
    eventually("nobody looks any more", || async {
        (bench.ready("celery").await == 0).then_some(())
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn chord_unlock_fails_the_body_with_a_member_and_when_it_may_not_look_again() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    bench
        .client
        .apply(fail("bad").option("task_id", "a"))
        .await
        .unwrap();
    bench
        .client
        .apply(unlock(&["a"], collect("body-1"), None))
        .await
        .unwrap();
    bench
        .client
        .apply(unlock(&["never"], collect("body-2"), Some(2)))
        .await
        .unwrap();
    for (body, told) in [
        ("body-1", "Dependency a raised ValueError('bad')"),
        ("body-2", "chord_unlock could not be retried"),
    ] {
        let body: AsyncResult<Value> = bench.client.result(body);
        let (kind, message) = exception(&state(&body, &State::Failure).await);
        assert_eq!(kind, "ChordError");
        assert!(message.starts_with(told), "{message}");
    }
    worker.stop().await;
}

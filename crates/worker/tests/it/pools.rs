//! The pool's size: growing, shrinking, autoscaling, and what `-P` makes of tasks that do not say where they run.

use std::time::Duration;

use protocol::{Map, Value};
use worker::{Autoscale, Pool, SendTask, WorkerSettings};

use crate::hazards::Hog;
use crate::support::{Bench, DEADLINE, eventually, settings};
use crate::tasks::{Gather, WhichThread, key};

async fn ask(bench: &Bench, method: &str, arguments: &[(&str, i64)]) -> Value {
    let arguments: Map = arguments
        .iter()
        .map(|(name, number)| (*name, Value::Int(*number)))
        .collect();
    let request = bench.client.control().request(method, arguments);
    let to_it = request.destination(vec!["w1@test".to_owned()]);
    let replies = to_it.timeout(DEADLINE).collect().await.unwrap();
    replies
        .into_iter()
        .next()
        .expect("the worker answers")
        .value
}

fn text(reply: &Value, kind: &str) -> String {
    let text = reply.get(kind).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no {kind} in {reply:?}"))
        .to_owned()
}

/// Sends `wanted` tasks that end when all of them run at once.
async fn all_at_once(bench: &Bench, wanted: usize) {
    gather(bench, wanted, false).await;
}

async fn gather(bench: &Bench, wanted: usize, in_place: bool) {
    let key = key();
    let mut results = Vec::new();
    for _ in 0..wanted {
        let task = Gather {
            key: key.clone(),
            wanted,
            in_place,
        };
        results.push(bench.client.send(task).await.unwrap());
    }
    for result in results {
        assert_eq!(result.get(DEADLINE).await.unwrap(), wanted);
    }
}

/// One thread of the runtime, so that only one run is begun at first.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_run_that_keeps_its_thread_to_itself_keeps_no_other_from_its_slot() {
    let bench = Bench::new();
    let worker = bench.worker(settings(4)).await;
    gather(&bench, 4, true).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_pool_grows_and_shrinks_and_refuses_to_vanish() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    assert_eq!(
        text(&ask(&bench, "pool_grow", &[("n", 3)]).await, "ok"),
        "pool will grow"
    );
    all_at_once(&bench, 4).await;
    assert_eq!(
        text(&ask(&bench, "pool_shrink", &[("n", 3)]).await, "ok"),
        "pool will shrink"
    );
    let refused = ask(&bench, "pool_shrink", &[]).await;
    assert!(text(&refused, "error").contains("no slot would be left"));
    assert_eq!(
        text(&ask(&bench, "autoscale", &[("max", 3)]).await, "error"),
        "ValueError('Autoscale not enabled')"
    );
    all_at_once(&bench, 1).await;
    worker.stop().await;
}

#[tokio::test]
async fn an_autoscaled_pool_follows_the_work() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            worker_autoscale: Some(Autoscale { max: 3, min: 1 }),
            autoscale_keepalive: Duration::from_millis(1),
            ..settings(1)
        })
        .await;
    all_at_once(&bench, 3).await;
    eventually("the pool shrinks when it is idle", || async {
        let stats = ask(&bench, "stats", &[]).await;
        let size = stats
            .get("pool")
            .and_then(|pool| pool.get("max-concurrency"));
        (size == Some(&Value::Int(1))).then_some(())
    })
    .await;
    let refused = ask(&bench, "pool_grow", &[("n", 1)]).await;
    assert!(text(&refused, "error").contains("not supported with autoscale"));
    let changed = ask(&bench, "autoscale", &[("max", 5), ("min", 2)]).await;
    assert_eq!(text(&changed, "ok"), "autoscale now max=5 min=2");
    worker.stop().await;
}

#[tokio::test]
async fn a_task_that_does_not_say_where_it_runs_runs_where_the_worker_does() {
    let bench = Bench::new();
    let on_threads = WorkerSettings {
        worker_pool: Pool::Blocking,
        ..settings(1)
    };
    let worker = bench.worker(on_threads).await;
    assert_eq!(bench.run(WhichThread {}).await, "task");
    worker.stop().await;
}

#[tokio::test]
async fn a_solo_pool_runs_one_task_at_a_time() {
    let bench = Bench::new();
    let solo = WorkerSettings {
        worker_pool: Pool::Solo,
        ..settings(8)
    };
    let worker = bench.worker(solo).await;
    let stats = ask(&bench, "stats", &[]).await;
    let size = stats
        .get("pool")
        .and_then(|pool| pool.get("max-concurrency"));
    assert_eq!(size, Some(&Value::Int(1)));
    let refused = ask(&bench, "pool_grow", &[("n", 1)]).await;
    assert!(text(&refused, "error").contains("solo"));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_blocks_the_runtime_is_noticed_and_runs_on_a_thread_from_then_on() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    assert_ne!(bench.run(Hog { seconds: 0.0 }).await, "task");
    assert_ne!(bench.run(Hog { seconds: 3.0 }).await, "task");
    assert_eq!(bench.run(Hog { seconds: 0.0 }).await, "task");
    assert_ne!(bench.run(WhichThread {}).await, "task");
    worker.stop().await;
}

//! Rate limits: no more than they allow, and in nobody's way.

use std::time::{Duration, Instant};

use protocol::Map;
use worker::{SendTask, WorkerSettings};

use crate::commands::{ask, said};
use crate::support::{Bench, eventually, settings};
use crate::tasks::{Add, Count, key, runs};

fn limited(rate: &str) -> WorkerSettings {
    WorkerSettings {
        task_default_rate_limit: Some(rate.to_owned()),
        ..settings(1)
    }
}

#[tokio::test]
async fn tasks_of_a_type_do_not_start_faster_than_their_rate() {
    let bench = Bench::new();
    let worker = bench.worker(limited("10/s")).await;
    let began = Instant::now();
    let key = key();
    for _ in 0..6 {
        bench.client.send(Count { key: key.clone() }).await.unwrap();
    }
    eventually("all run", || async { (runs(&key) == 6).then_some(()) }).await;
    // One token at once and one each tenth of a second: it may take longer, never less.
    assert!(began.elapsed() >= Duration::from_millis(500));
    worker.stop().await;
}

#[tokio::test]
async fn a_limited_task_holds_up_no_other() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let limit = Map::from_iter([("task_name", "demo.count"), ("rate_limit", "1/h")]);
    let answer = ask(&bench, "rate_limit", limit).await;
    assert_eq!(said(&answer), ("ok", "new rate limit set successfully"));
    let key = key();
    for _ in 0..20 {
        bench.client.send(Count { key: key.clone() }).await.unwrap();
    }
    // The worker has one slot, and these come after all those.
    for _ in 0..5 {
        assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    }
    assert_eq!(runs(&key), 1, "one token was there");
    let scheduled = ask(&bench, "scheduled", Map::new()).await;
    assert_eq!(
        scheduled.as_list().unwrap().len(),
        19,
        "the rest waits on the broker"
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_limit_that_is_taken_away_limits_no_more() {
    let bench = Bench::new();
    let worker = bench.worker(limited("1/h")).await;
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    for (rate, wanted) in [
        ("", "rate limit disabled successfully"),
        ("1000/s", "new rate limit set successfully"),
    ] {
        let limit = Map::from_iter([("task_name", "demo.add"), ("rate_limit", rate)]);
        assert_eq!(
            said(&ask(&bench, "rate_limit", limit).await),
            ("ok", wanted)
        );
        assert_eq!(bench.run(Add { x: 2, y: 1 }).await, 3);
    }
    worker.stop().await;
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let bench = Bench::new();
    let settings = WorkerSettings {
        worker_disable_rate_limits: true,
        ..limited("1/h")
    };
    let worker = bench.worker(settings).await;
    for _ in 0..3 {
        assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_rate_that_is_none_is_refused_at_the_start() {
    let bench = Bench::new();
    let params = worker::WorkerParams {
        client: bench.client.clone(),
        registry: crate::tasks::registry(),
        settings: limited("often"),
        hooks: Vec::new(),
        ready: None,
    };
    let refused = worker::Worker::new(params).unwrap_err().to_string();
    assert!(refused.starts_with("the rate limit of task"), "{refused}");
}

#[tokio::test]
async fn time_limits_can_be_changed_while_the_worker_runs() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let mut limits = Map::from_iter([("task_name", "demo.sleep")]);
    limits.insert("hard", 0.2);
    let answer = ask(&bench, "time_limit", limits).await;
    assert_eq!(said(&answer), ("ok", "time limits set successfully"));
    let sleep = crate::tasks::Sleep {
        key: key(),
        seconds: 60.0,
    };
    let result = bench.client.send(sleep).await.unwrap();
    let meta = crate::support::state(&result, &protocol::State::Failure).await;
    assert_eq!(crate::support::exception(&meta).0, "TimeLimitExceeded");
    worker.stop().await;
}

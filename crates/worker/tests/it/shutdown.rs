//! The end of a worker: nothing lost, nothing run twice that had not to be.

use std::time::{Duration, Instant};

use broker::Admin;
use client::AsyncResult;
use protocol::State;
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, Running, eventually, settings};
use crate::tasks::{Add, Count, Sleep, key, runs};

#[tokio::test]
async fn warm_finishes_what_runs_and_gives_back_the_rest() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            worker_prefetch_multiplier: 3,
            ..settings(1)
        })
        .await;
    let busy = key();
    let running = bench
        .client
        .send(Sleep {
            key: busy.clone(),
            seconds: 0.3,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let waiting = key();
    for _ in 0..4 {
        bench
            .client
            .send(Count {
                key: waiting.clone(),
            })
            .await
            .unwrap();
    }
    worker.stop().await;
    assert_eq!(running.get(Duration::from_secs(1)).await.unwrap(), 1);
    assert_eq!(runs(&waiting), 0);
    assert_eq!(bench.ready("celery").await, 4);
}

#[tokio::test]
async fn warm_gives_back_what_has_not_started_while_others_still_run() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            worker_prefetch_multiplier: 2,
            ..settings(1)
        })
        .await;
    let busy = key();
    let sleep = Sleep {
        key: busy.clone(),
        seconds: 60.0,
    };
    bench.client.send(sleep).await.unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let waiting = Count { key: key() };
    bench.client.send(waiting).await.unwrap();
    eventually("the other one is held", || async {
        (bench.ready("celery").await == 0).then_some(())
    })
    .await;
    worker.shutdown.warm.cancel();
    eventually("the other one is ready for others", || async {
        (bench.ready("celery").await == 1).then_some(())
    })
    .await;
    worker.kill().await;
}

#[tokio::test]
async fn cold_gives_back_what_runs_and_another_worker_runs_it() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let result = bench
        .client
        .send(Sleep {
            key: key.clone(),
            seconds: 0.8,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    worker.kill().await;
    assert_eq!(
        bench.ready("celery").await,
        1,
        "runnable elsewhere when the worker has ended"
    );
    let second = bench.worker(settings(1)).await;
    assert_eq!(result.get(DEADLINE).await.unwrap(), 2);
    second.stop().await;
}

/// A worker that runs a task of this many seconds, and the task's result.
async fn running(
    bench: &Bench,
    settings: WorkerSettings,
    seconds: f64,
) -> (Running, AsyncResult<u32>) {
    let worker = bench.worker(settings).await;
    let key = key();
    let result = bench
        .client
        .send(Sleep {
            key: key.clone(),
            seconds,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    (worker, result)
}

fn soft(timeout: Duration) -> WorkerSettings {
    WorkerSettings {
        worker_soft_shutdown_timeout: timeout,
        ..settings(1)
    }
}

#[tokio::test]
async fn soft_finishes_what_ends_in_time() {
    let bench = Bench::new();
    let (worker, result) = running(&bench, soft(DEADLINE * 10), 0.3).await;
    worker.shutdown.soft.cancel();
    worker.ended().await;
    assert_eq!(result.get(Duration::from_secs(1)).await.unwrap(), 1);
    assert_eq!(bench.ready("celery").await, 0);
}

#[tokio::test]
async fn soft_gives_back_what_does_not_end_in_time() {
    let bench = Bench::new();
    let (worker, _) = running(&bench, soft(Duration::from_millis(200)), 600.0).await;
    worker.shutdown.soft.cancel();
    worker.ended().await;
    assert_eq!(bench.ready("celery").await, 1);
}

#[tokio::test]
async fn cold_cuts_a_soft_stop_short() {
    let bench = Bench::new();
    let (worker, _) = running(&bench, soft(DEADLINE * 10), 600.0).await;
    worker.shutdown.soft.cancel();
    worker.kill().await;
    assert_eq!(bench.ready("celery").await, 1);
}

#[tokio::test]
async fn a_soft_stop_takes_its_time_when_idle_only_if_told_to() {
    let bench = Bench::new();
    let worker = bench.worker(soft(DEADLINE * 10)).await;
    worker.shutdown.soft.cancel();
    worker.ended().await;

    let timeout = Duration::from_millis(300);
    let patient = WorkerSettings {
        worker_enable_soft_shutdown_on_idle: true,
        ..soft(timeout)
    };
    let worker = bench.worker(patient).await;
    let asked = Instant::now();
    worker.shutdown.soft.cancel();
    worker.ended().await;
    assert!(asked.elapsed() >= timeout, "it did not wait");
}

#[tokio::test]
async fn a_cancelled_run_is_told_to_monitors() {
    let bench = Bench::new();
    let mut events = bench.client.events("task.#").await.unwrap();
    let with_events = WorkerSettings {
        worker_send_task_events: true,
        ..settings(1)
    };
    let (worker, result) = running(&bench, with_events, 600.0).await;
    worker.kill().await;
    let told = async {
        loop {
            let event = events.next().await.expect("the broker is open");
            if event.kind == "task-cancelled" {
                return event.text("uuid").map(str::to_owned);
            }
        }
    };
    let uuid = tokio::time::timeout(DEADLINE, told)
        .await
        .expect("it is told");
    assert_eq!(uuid.as_deref(), Some(result.id()));
    let stored = result.state().await.unwrap();
    assert_eq!(
        stored,
        State::Pending,
        "it runs again, and nothing is stored"
    );
}

#[tokio::test]
async fn a_worker_holds_nothing_that_could_run_elsewhere() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let key = key();
    for _ in 0..5 {
        bench
            .client
            .send(Sleep {
                key: key.clone(),
                seconds: 60.0,
            })
            .await
            .unwrap();
    }
    eventually("two run", || async { (runs(&key) == 2).then_some(()) }).await;
    assert_eq!(bench.ready("celery").await, 3);
    worker.kill().await;
    assert_eq!(bench.ready("celery").await, 5);
}

#[tokio::test]
async fn max_tasks_ends_the_worker() {
    let bench = Bench::new();
    let key = key();
    for _ in 0..10 {
        bench.client.send(Count { key: key.clone() }).await.unwrap();
    }
    let worker = bench
        .worker(WorkerSettings {
            max_tasks: Some(3),
            ..settings(1)
        })
        .await;
    worker.ended().await;
    assert_eq!(runs(&key), 3);
    assert_eq!(bench.ready("celery").await, 7);
}

#[tokio::test]
async fn many_tasks_run_exactly_once_on_several_workers() {
    let bench = Bench::new();
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(bench.worker(settings(4)).await);
    }
    let keys: Vec<String> = (0..600).map(|_| key()).collect();
    let calls = keys
        .iter()
        .map(|key| {
            bench
                .client
                .call(Count { key: key.clone() })
                .build()
                .unwrap()
        })
        .collect();
    let results = bench.client.send_all(calls).await.unwrap();
    for result in results {
        assert_eq!(result.cast::<u32>().get(DEADLINE).await.unwrap(), 1);
    }
    let sum = bench.client.send(Add { x: 1, y: 1 }).await.unwrap();
    assert_eq!(sum.get(DEADLINE).await.unwrap(), 2);
    for worker in workers {
        worker.stop().await;
    }
    assert!(keys.iter().all(|key| runs(key) == 1));
    assert!(
        bench.broker.workers().await.unwrap().is_empty(),
        "every lease is given up"
    );
}

//! The end of a worker: nothing lost, nothing run twice that had not to be.

use std::time::Duration;

use broker::Admin;
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, eventually, settings};
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

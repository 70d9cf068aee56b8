//! Revoking tasks that wait and tasks that run.

use protocol::State;
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Add, Count, Sleep, key, runs};

#[tokio::test]
async fn a_revoked_task_is_not_run() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            worker_prefetch_multiplier: 2,
            ..settings(1)
        })
        .await;
    let (busy, never) = (key(), key());
    let first = bench
        .client
        .send(Sleep {
            key: busy.clone(),
            seconds: 0.6,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let waiting = bench
        .client
        .send(Count { key: never.clone() })
        .await
        .unwrap();
    waiting.revoke(false, "SIGTERM").await.unwrap();
    let (exc_type, message) = exception(&state(&waiting, &State::Revoked).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("TaskRevokedError", "revoked")
    );
    assert_eq!(first.get(DEADLINE).await.unwrap(), 1);
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    assert_eq!(runs(&never), 0);
    worker.stop().await;
}

#[tokio::test]
async fn terminate_ends_a_task_that_runs() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let running = bench
        .client
        .send(Sleep {
            key: key.clone(),
            seconds: 60.0,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    running.revoke(true, "SIGTERM").await.unwrap();
    let (exc_type, message) = exception(&state(&running, &State::Revoked).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("TaskRevokedError", "terminated")
    );
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

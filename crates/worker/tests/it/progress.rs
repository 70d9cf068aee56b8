//! States that a running task stores.

use protocol::{State, Value};
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, settings, state};
use crate::tasks::{Progress, Sleep, go, key};

#[tokio::test]
async fn progress_and_custom_states_are_seen_while_the_task_runs() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let result = bench
        .client
        .send(Progress { go: key.clone() })
        .await
        .unwrap();
    let meta = state(&result, &State::Custom("PROGRESS".to_owned())).await;
    assert_eq!(meta.result.get("total"), Some(&Value::Int(2)));
    assert!(meta.date_done.is_none());
    go(&key);
    let meta = state(&result, &State::Custom("NEARLY".to_owned())).await;
    assert_eq!(meta.result, Value::from("almost"));
    assert!(!result.ready().await.unwrap());
    go(&key);
    assert_eq!(result.get(DEADLINE).await.unwrap(), "done");
    worker.stop().await;
}

#[tokio::test]
async fn started_is_stored_when_it_is_tracked() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            task_track_started: true,
            ..settings(1)
        })
        .await;
    let result = bench
        .client
        .send(Sleep {
            key: key(),
            seconds: 60.0,
        })
        .await
        .unwrap();
    let meta = state(&result, &State::Started).await;
    assert_eq!(meta.result.get("hostname"), Some(&Value::from("w1@test")));
    assert_eq!(
        meta.result.get("pid"),
        Some(&Value::from(std::process::id()))
    );
    worker.kill().await;
}

#[tokio::test]
async fn a_run_whose_message_is_held_by_another_is_refused() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let result = bench
        .client
        .send(Progress { go: key.clone() })
        .await
        .unwrap();
    state(&result, &State::Custom("PROGRESS".to_owned())).await;
    let incarnation = broker::Admin::workers(&bench.broker).await.unwrap()[0]
        .incarnation
        .clone();
    assert!(
        bench.broker.expire_lease(&incarnation),
        "the worker has a lease"
    );
    go(&key);
    go(&key);
    assert_eq!(
        result.get(DEADLINE).await.unwrap(),
        "done",
        "the second run, under a new tag, is the one that counts"
    );
    worker.stop().await;
}

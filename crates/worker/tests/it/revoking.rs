//! Revoking tasks that wait and tasks that run.

use broker::Admin;
use client::{AsyncResult, CallOptions, ClientOptions};
use protocol::{Map, State, Value};
use worker::{SendTask, WorkerSettings};

use crate::commands::{ask, said};
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

async fn stamped<const N: usize>(
    bench: &Bench,
    task: &str,
    kwargs: [(&str, Value); N],
    stamps: Map,
) -> AsyncResult<Value> {
    let options = CallOptions {
        stamps,
        ..CallOptions::default()
    };
    let sent = bench
        .client
        .send_task(task, Vec::new(), Map::from_iter(kwargs), options);
    sent.await.unwrap()
}

/// A file that nobody else uses.
fn state_file() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("celeriac-state-{}", key()))
}

#[tokio::test]
async fn revokes_in_the_state_file_outlast_the_worker() {
    let path = state_file();
    let with_file = || WorkerSettings {
        worker_state_db: Some(path.clone()),
        ..settings(1)
    };
    let quiet = || {
        Bench::with(ClientOptions {
            revokes_on_broker: false,
            ..ClientOptions::default()
        })
    };
    let bench = quiet();
    let worker = bench.worker(with_file()).await;
    let control = bench.client.control();
    let collected = control
        .revoke(&["gone".to_owned()])
        .destination(vec!["w1@test".to_owned()]);
    collected.timeout(DEADLINE).collect().await.unwrap();
    eventually("the file is there", || async {
        path.exists().then_some(())
    })
    .await;
    // As good as a kill: nothing is saved at the end any more.
    let kept = std::fs::read(&path).unwrap();
    worker.kill().await;
    std::fs::write(&path, kept).unwrap();

    let bench = quiet();
    let worker = bench.worker(with_file()).await;
    let revoked = ask(&bench, "revoked", Map::new()).await;
    assert_eq!(revoked, vec!["gone"].into());
    worker.stop().await;
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_state_file_of_another_program_is_left_alone() {
    let path = state_file();
    std::fs::write(&path, "not ours").unwrap();
    let bench = Bench::new();
    let params = worker::WorkerParams {
        client: bench.client.clone(),
        registry: crate::tasks::registry(),
        settings: WorkerSettings {
            worker_state_db: Some(path.clone()),
            ..settings(1)
        },
        hooks: Vec::new(),
        ready: None,
    };
    let worker = worker::Worker::new(params).unwrap();
    let refused = worker.run(worker::Shutdown::new()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("cannot restore the worker's state from")
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "not ours");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_task_revoked_while_no_worker_is_there_is_not_run() {
    let bench = Bench::new();
    let (by_id, by_stamp) = (key(), key());
    let first = bench
        .client
        .send(Count { key: by_id.clone() })
        .await
        .unwrap();
    first.revoke(false, "SIGTERM").await.unwrap();
    let stamps = Map::from_iter([("batch", "b1")]);
    let control = bench.client.control();
    control
        .revoke_by_stamped_headers(stamps.clone(), None)
        .send()
        .await
        .unwrap();
    let second = stamped(
        &bench,
        "demo.count",
        [("key", by_stamp.as_str().into())],
        stamps,
    )
    .await;

    let worker = bench.worker(settings(1)).await;
    for meta in [
        state(&first, &State::Revoked).await,
        state(&second, &State::Revoked).await,
    ] {
        assert_eq!(exception(&meta).0, "TaskRevokedError");
    }
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    assert_eq!((runs(&by_id), runs(&by_stamp)), (0, 0));
    worker.stop().await;
}

#[tokio::test]
async fn stamps_end_what_runs_when_asked_to() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let kwargs = [("key", key.as_str().into()), ("seconds", 60.0.into())];
    let stamps = Map::from_iter([("batch", Value::from(vec!["b1", "b2"]))]);
    let running = stamped(&bench, "demo.sleep", kwargs, stamps).await;
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    let mut arguments = Map::from_iter([("headers", vec!["batch=b2"])]);
    arguments.insert("terminate", true);
    let answer = ask(&bench, "revoke_by_stamped_headers", arguments).await;
    assert_eq!(
        said(&answer),
        (
            "ok",
            "headers defaultdict(<class 'set'>, {'batch': {'b2'}}) revoked"
        )
    );
    state(&running, &State::Revoked).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_hundred_thousand_revokes_hold_up_no_task() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let ids: Vec<String> = (0..100_000)
        .map(|number| format!("id-{number:06}"))
        .collect();
    bench.client.control().revoke(&ids).send().await.unwrap();
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    let revoked = ask(&bench, "revoked", Map::new()).await;
    let revoked = revoked.as_list().unwrap();
    assert_eq!(revoked.len(), 50_000);
    assert_eq!(revoked.last(), Some(&"id-099999".into()));
    worker.stop().await;
}

/// Also when it was revoked before this worker was there.
#[tokio::test]
async fn a_revoked_task_with_an_eta_leaves_the_server_at_once() {
    let options = ClientOptions {
        revokes_on_broker: true,
        ..ClientOptions::default()
    };
    let bench = Bench::with(options);
    let hour = std::time::Duration::from_secs(3_600);
    let worker = bench.worker(settings(1)).await;
    let later = async |key: &str| {
        let call = bench.client.call(Count {
            key: key.to_owned(),
        });
        call.countdown(hour).send().await.unwrap()
    };
    let (never, stays) = (key(), key());
    let (revoked, other) = (later(&never).await, later(&never).await);
    later(&stays).await;
    let left = async |count: usize| {
        eventually("as many wait", || async {
            let waiting = bench.broker.deferred(10).await.unwrap().len();
            (waiting == count && bench.ready("celery").await == 0).then_some(())
        })
        .await;
    };
    left(3).await;
    revoked.revoke(false, "SIGTERM").await.unwrap();
    left(2).await;
    state(&revoked, &State::Revoked).await;
    worker.stop().await;
    other.revoke(false, "SIGTERM").await.unwrap();
    let worker = bench.worker(settings(1)).await;
    left(1).await;
    state(&other, &State::Revoked).await;
    worker.stop().await;
    assert_eq!((runs(&never), runs(&stays)), (0, 0));
}

//! What becomes of messages: acknowledged, parked, rejected, deferred, expired, acknowledged early.

use std::time::Duration;

use broker::{Admin, Broker, Publish, Route};
use client::{CallOptions, Expires};
use jiff::Timestamp;
use protocol::{Message, State};
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Add, Count, Decide, Sleep, key, runs};

#[tokio::test]
async fn an_unknown_task_is_parked_and_its_caller_told() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let result = bench
        .client
        .task::<()>("no.such.task")
        .send()
        .await
        .unwrap();
    let (exc_type, message) = exception(&state(&result, &State::Failure).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("NotRegistered", "no.such.task")
    );
    let parked = bench.broker.parked(10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert!(
        parked[0].reason.contains("no.such.task"),
        "{}",
        parked[0].reason
    );
    worker.stop().await;
}

#[tokio::test]
async fn poison_is_parked_with_its_reason_and_the_rest_goes_on() {
    let bench = Bench::new();
    bench.broker.publish_raw("celery", "not an envelope");
    let mut message = Message {
        content_type: "application/x-python-serialize".to_owned(),
        ..Message::default()
    };
    message.headers.task = Some("demo.add".to_owned());
    message.headers.id = Some("pickled".to_owned());
    bench
        .broker
        .publish(vec![Publish {
            message,
            route: Route::queue("celery"),
        }])
        .await
        .unwrap();
    let worker = bench.worker(settings(1)).await;
    let sound = bench.client.send(Add { x: 1, y: 1 }).await.unwrap();
    assert_eq!(sound.get(DEADLINE).await.unwrap(), 2);
    let parked = bench.broker.parked(10).await.unwrap();
    assert_eq!(parked.len(), 2);
    let pickled = bench.client.result::<()>("pickled");
    let (exc_type, message) = exception(&state(&pickled, &State::Failure).await);
    assert_eq!(exc_type, "DecodeError");
    assert!(message.contains("pickle"), "{message}");
    worker.stop().await;
}

#[tokio::test]
async fn outcomes_decide_what_becomes_of_the_message() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let decide = |outcome: &str| Decide {
        key: key(),
        outcome: outcome.to_owned(),
    };

    let requeued = bench.client.send(decide("requeue")).await.unwrap();
    assert_eq!(requeued.get(DEADLINE).await.unwrap(), "redelivered");

    let rejected = bench.client.send(decide("reject")).await.unwrap();
    let (exc_type, message) = exception(&state(&rejected, &State::Failure).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("Reject", "no thanks")
    );

    let replaced = bench.client.send(decide("replace")).await.unwrap();
    assert_eq!(replaced.cast::<i64>().get(DEADLINE).await.unwrap(), 42);

    let quiet = decide("ignore");
    let key = quiet.key.clone();
    let ignored = bench.client.send(quiet).await.unwrap();
    eventually("it ran", || async { (runs(&key) == 1).then_some(()) }).await;
    worker.stop().await;
    assert_eq!(bench.ready("celery").await, 0);
    assert_eq!(ignored.state().await.unwrap(), State::Pending);
}

#[tokio::test]
async fn a_panic_is_a_failure_and_the_worker_lives_on() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let panicked = bench.client.task::<()>("demo.panic").send().await.unwrap();
    let (exc_type, message) = exception(&state(&panicked, &State::Failure).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("RuntimeError", "panicked: on purpose")
    );
    assert_eq!(bench.run(Add { x: 2, y: 3 }).await, 5);
    worker.stop().await;
}

#[tokio::test]
async fn a_countdown_waits_on_the_broker_and_not_in_the_worker() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let later = bench
        .client
        .call(Count { key: key.clone() })
        .countdown(Duration::from_millis(700))
        .send()
        .await
        .unwrap();
    eventually("the broker holds it", || async {
        (!bench.broker.deferred(10).await.unwrap().is_empty()).then_some(())
    })
    .await;
    let now = bench.client.send(Add { x: 1, y: 1 }).await.unwrap();
    assert_eq!(now.get(DEADLINE).await.unwrap(), 2);
    assert_eq!(runs(&key), 0);
    assert_eq!(later.get(DEADLINE).await.unwrap(), 1);
    worker.stop().await;
}

#[tokio::test]
async fn an_expired_task_is_revoked_and_not_run() {
    let bench = Bench::new();
    let key = key();
    let past = Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let expired = bench
        .client
        .call(Count { key: key.clone() })
        .expires(past)
        .send()
        .await
        .unwrap();
    let worker = bench.worker(settings(1)).await;
    let (exc_type, message) = exception(&state(&expired, &State::Revoked).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("TaskRevokedError", "expired")
    );
    worker.stop().await;
    assert_eq!(runs(&key), 0);
}

#[tokio::test]
async fn expiry_is_checked_again_right_before_the_run() {
    let bench = Bench::new();
    let settings = WorkerSettings {
        worker_prefetch_multiplier: 2,
        ..settings(1)
    };
    let worker = bench.worker(settings).await;
    let (busy, late) = (key(), key());
    let first = bench
        .client
        .send(Sleep {
            key: busy.clone(),
            seconds: 1.0,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let soon = Expires::After(Duration::from_millis(300));
    let options = CallOptions {
        expires: Some(soon),
        ..CallOptions::default()
    };
    let expiring = bench
        .client
        .task::<u32>("demo.count")
        .with_options(options)
        .kwarg("key", &late)
        .send()
        .await
        .unwrap();
    state(&expiring, &State::Revoked).await;
    assert_eq!(first.get(DEADLINE).await.unwrap(), 1);
    assert_eq!(runs(&late), 0);
    worker.stop().await;
}

#[tokio::test]
async fn early_acknowledgement_takes_the_message_off_before_the_run() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            task_acks_late: false,
            ..settings(1)
        })
        .await;
    let sum = bench.client.send(Add { x: 4, y: 5 }).await.unwrap();
    assert_eq!(sum.get(DEADLINE).await.unwrap(), 9);
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
    worker.kill().await;
    let ended = exception(&state(&running, &State::Retry).await);
    assert_eq!(
        ended,
        ("Retry".to_owned(), "cancelled by Celery".to_owned())
    );
    assert_eq!(bench.ready("celery").await, 0);
}

#[tokio::test]
async fn what_has_succeeded_and_comes_again_is_not_run_again_if_so_set() {
    let bench = Bench::new();
    let key = key();
    let count = bench.client.send(Count { key: key.clone() }).await.unwrap();
    let succeeded = protocol::TaskMeta::new(count.id(), State::Success, 7.into());
    let results = bench.backends().results.clone().unwrap();
    results.store(vec![succeeded]).await.unwrap();
    let (notices, _) = tokio::sync::mpsc::channel(16);
    let consumer = bench.broker.consumer(broker::ConsumerParams {
        node: "stranger@test".to_owned(),
        queues: vec!["celery".to_owned()],
        order: broker::QueueOrder::default(),
        lease: Duration::from_secs(30),
        visibility_timeout: Duration::from_secs(3_600),
        limits: protocol::Limits::default(),
        notices,
    });
    let consumer = consumer.await.unwrap();
    assert_eq!(consumer.reserve(1).await.unwrap().len(), 1);
    assert_eq!(consumer.close().await.unwrap(), 1);
    let worker = bench
        .worker(WorkerSettings {
            worker_deduplicate_successful_tasks: true,
            ..settings(1)
        })
        .await;
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    assert_eq!(count.get(DEADLINE).await.unwrap(), 7);
    assert_eq!(runs(&key), 0);
    assert_eq!(bench.ready("celery").await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn an_ignored_result_is_not_stored_but_its_error_may_be() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            task_store_errors_even_if_ignored: true,
            ..settings(1)
        })
        .await;
    let sum = bench
        .client
        .call(Add { x: 1, y: 1 })
        .ignore_result(true)
        .send()
        .await
        .unwrap();
    let failed = bench
        .client
        .task::<i64>("demo.add")
        .ignore_result(true)
        .send()
        .await
        .unwrap();
    state(&failed, &State::Failure).await;
    worker.stop().await;
    assert_eq!(sum.state().await.unwrap(), State::Pending);
}

#[tokio::test]
async fn extended_results_tell_about_the_call() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            result_extended: true,
            task_track_started: true,
            ..settings(1)
        })
        .await;
    let sum = bench
        .client
        .task::<i64>("demo.add")
        .arg(1)
        .kwarg("y", 2)
        .send()
        .await
        .unwrap();
    let meta = state(&sum, &State::Success).await;
    let extended = meta.extended.unwrap();
    assert_eq!(extended.name.as_deref(), Some("demo.add"));
    assert_eq!(extended.worker.as_deref(), Some("w1@test"));
    assert_eq!(extended.queue.as_deref(), Some("celery"));
    assert_eq!(extended.args, vec![protocol::Value::Int(1)].into());
    assert!(meta.date_done.is_some());
    worker.stop().await;
}

//! Retries, by policy and by request.

use protocol::State;
use worker::SendTask;

use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Decide, Flaky, key, runs};

#[tokio::test]
async fn errors_of_the_policy_are_retried_until_the_task_succeeds() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let flaky = Flaky {
        key: key(),
        succeeds_at: 3,
        exc_type: "OSError".to_owned(),
    };
    let result = bench.client.send(flaky).await.unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), 3);
    worker.stop().await;
}

#[tokio::test]
async fn without_a_retry_left_the_original_error_is_stored() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let flaky = Flaky {
        key: key.clone(),
        succeeds_at: 9,
        exc_type: "OSError".to_owned(),
    };
    let result = bench.client.send(flaky).await.unwrap();
    let (exc_type, message) = exception(&state(&result, &State::Failure).await);
    assert_eq!((exc_type.as_str(), message.as_str()), ("OSError", "run 3"));
    assert_eq!(runs(&key), 3);
    worker.stop().await;
}

#[tokio::test]
async fn other_errors_are_final() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let flaky = Flaky {
        key: key.clone(),
        succeeds_at: 9,
        exc_type: "KeyError".to_owned(),
    };
    let result = bench.client.send(flaky).await.unwrap();
    state(&result, &State::Failure).await;
    assert_eq!(runs(&key), 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_task_may_ask_for_its_retry() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let decide = |outcome: &str, key: &str| Decide {
        key: key.to_owned(),
        outcome: outcome.to_owned(),
    };
    let once = bench.client.send(decide("retry", &key())).await.unwrap();
    assert_eq!(once.get(DEADLINE).await.unwrap(), "redelivered");

    let key = key();
    let for_ever = bench
        .client
        .send(decide("retry_for_ever", &key))
        .await
        .unwrap();
    let (exc_type, message) = exception(&state(&for_ever, &State::Failure).await);
    assert_eq!(
        (exc_type.as_str(), message.as_str()),
        ("ConnectionError", "gone")
    );
    assert_eq!(runs(&key), 3);

    let causeless = bench
        .client
        .send(decide("retry_without_cause", &crate::tasks::key()))
        .await
        .unwrap();
    let (exc_type, message) = exception(&state(&causeless, &State::Failure).await);
    assert_eq!(exc_type, "MaxRetriesExceededError");
    assert!(message.starts_with("Can't retry demo.decide["), "{message}");
    worker.stop().await;
}

#[tokio::test]
async fn a_retry_waits_on_the_broker_with_its_state_stored() {
    let bench = Bench::new();
    let mut registry = crate::tasks::registry();
    registry.annotate(|_, options| options.retry.default_retry_delay = 3_600);
    let worker = bench.worker_with(registry, settings(1)).await;
    let flaky = Flaky {
        key: key(),
        succeeds_at: 2,
        exc_type: "OSError".to_owned(),
    };
    let result = bench.client.send(flaky).await.unwrap();
    let meta = state(&result, &State::Retry).await;
    assert_eq!(exception(&meta).0, "OSError");
    assert_eq!(meta.children.unwrap()[0].id, result.id());
    let request = eventually("the retry waits", || async {
        let deferred = broker::Admin::deferred(&bench.broker, 10).await.unwrap();
        deferred.first().map(|waiting| {
            protocol::Message::from_envelope(&waiting.raw, &protocol::Limits::default()).unwrap()
        })
    })
    .await;
    assert_eq!(request.headers.retries, Some(1));
    assert_eq!(request.headers.parent_id.as_deref(), Some(result.id()));
    worker.stop().await;
}

#[tokio::test]
async fn a_retry_beyond_all_dates_does_not_run_at_once() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let decide = Decide {
        key: key.clone(),
        outcome: "retry_never".to_owned(),
    };
    bench.client.send(decide).await.unwrap();
    eventually("the retry waits", || async {
        let deferred = broker::Admin::deferred(&bench.broker, 10).await.unwrap();
        (deferred.len() == 1).then_some(())
    })
    .await;
    worker.stop().await;
    assert_eq!(runs(&key), 1);
}

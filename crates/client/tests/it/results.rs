//! Waiting for results.

use std::time::Duration;

use broker::{Backends, MemoryBroker, ResultBackend};
use client::{AsyncResult, Client, ClientError, ClientOptions, TaskError};
use protocol::{ExceptionInfo, State, TaskMeta, Value};

const DEADLINE: Duration = Duration::from_secs(20);

fn open() -> (MemoryBroker, AsyncResult<i64>) {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), ClientOptions::default());
    (broker, client.result("id-1"))
}

async fn store(broker: &MemoryBroker, status: State, result: Value) {
    broker
        .store(vec![TaskMeta::new("id-1", status, result)])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_result_is_pending_until_it_is_there() {
    let (broker, result) = open();
    assert_eq!(result.state().await.unwrap(), State::Pending);
    assert!(!result.ready().await.unwrap());
    let error = result.get(Duration::from_millis(20)).await.unwrap_err();
    assert!(
        matches!(
            &error,
            TaskError::Timeout {
                state: State::Pending,
                ..
            }
        ),
        "{error}"
    );

    let waiting = tokio::spawn({
        let result = result.clone();
        async move { result.get(DEADLINE).await }
    });
    store(&broker, State::Started, Value::Null).await;
    store(&broker, State::Success, Value::Int(42)).await;
    assert_eq!(waiting.await.unwrap().unwrap(), 42);
    assert_eq!(
        result.get(DEADLINE).await.unwrap(),
        42,
        "again, from what is stored"
    );
    result.forget().await.unwrap();
    assert_eq!(result.info().await.unwrap(), None);
}

#[tokio::test]
async fn a_failure_is_raised_with_its_remote_type_and_text() {
    let (broker, result) = open();
    let exception = ExceptionInfo::new("builtins", "ValueError", "bad");
    store(&broker, State::Failure, Value::from(&exception)).await;
    let error = result.get(DEADLINE).await.unwrap_err();
    assert_eq!(error.to_string(), "ValueError: bad");
    assert!(matches!(error, TaskError::Failed { exception: remote, .. } if remote.0 == exception));
}

#[tokio::test]
async fn a_revocation_is_told_apart() {
    let (broker, result) = open();
    let exception = ExceptionInfo::new("celery.exceptions", "TaskRevokedError", "expired");
    store(&broker, State::Revoked, Value::from(&exception)).await;
    let error = result.get(DEADLINE).await.unwrap_err();
    assert!(matches!(&error, TaskError::Revoked { .. }), "{error:?}");
    assert_eq!(error.to_string(), "TaskRevokedError: expired");
}

#[tokio::test]
async fn a_result_of_another_type_is_an_error_and_not_a_guess() {
    let (broker, result) = open();
    store(&broker, State::Success, Value::from("text")).await;
    let error = result.get(DEADLINE).await.unwrap_err();
    assert!(matches!(
        error,
        TaskError::Client(ClientError::Decode { .. })
    ));
}

#[tokio::test]
async fn without_a_result_backend_the_error_says_what_to_set() {
    let backends = Backends {
        results: None,
        ..MemoryBroker::new().backends()
    };
    let result = Client::new(backends, ClientOptions::default()).result::<i64>("id-1");
    let error = result.get(DEADLINE).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no result backend is configured: set result_backend"
    );
}

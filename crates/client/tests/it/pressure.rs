//! A broker that does not keep up: those who publish wait, and not for ever.

use std::time::Duration;

use broker::faults::{Call, inject};
use broker::{Admin, MemoryBroker};
use client::{AsyncResult, Client, ClientError, ClientOptions};
use tokio::task::JoinSet;

fn options(publish_patience: Duration) -> ClientOptions {
    ClientOptions {
        publish_limit: 2,
        publish_patience,
        ..ClientOptions::default()
    }
}

async fn send(client: Client) -> Result<AsyncResult<()>, ClientError> {
    client.task::<()>("tests.task").send().await
}

#[tokio::test]
async fn whoever_finds_no_turn_in_time_gets_an_error_that_names_the_bounds() {
    let broker = MemoryBroker::new();
    let (backends, faults) = inject(broker.backends());
    let client = Client::new(backends, options(Duration::from_millis(20)));
    faults.stall();
    let mut under_way = JoinSet::new();
    for _ in 0..2 {
        under_way.spawn(send(client.clone()));
    }
    while faults.calls(Call::Publish) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let error = send(client.clone()).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Congested { limit: 2, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("celeriac_publish_limit"),
        "{error}"
    );
    assert_eq!(faults.calls(Call::Publish), 2, "the third was not tried");
    faults.resume();
    for sent in under_way.join_all().await {
        sent.unwrap();
    }
    send(client).await.unwrap();
    assert_eq!(broker.peek("celery", 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_thousand_producers_take_their_turns() {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), options(Duration::from_secs(30)));
    let mut producers = JoinSet::new();
    for _ in 0..1_000 {
        producers.spawn(send(client.clone()));
    }
    for sent in producers.join_all().await {
        sent.unwrap();
    }
    assert_eq!(broker.peek("celery", 2_000).await.unwrap().len(), 1_000);
}

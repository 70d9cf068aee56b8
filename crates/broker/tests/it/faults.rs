//! The decorator fails, stalls and counts as told, and otherwise changes nothing.

use broker::faults::{Call, inject};
use broker::{Backends, ErrorKind, MemoryBroker};
use futures_util::FutureExt;

use super::{params, publish};

async fn ready(backends: &Backends) -> u64 {
    backends.admin.depth(&["q".to_owned()]).await.unwrap()[0].ready()
}

#[tokio::test]
async fn planned_failures_come_and_end() {
    let (backends, faults) = inject(MemoryBroker::new().backends());
    faults.fail_next(Call::Publish, 2, ErrorKind::Full);
    for _ in 0..2 {
        let failed = backends.broker.publish(vec![publish("q", "a")]).await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Full);
    }
    assert_eq!(
        ready(&backends).await,
        0,
        "a failed call does not reach the server"
    );
    backends
        .broker
        .publish(vec![publish("q", "a")])
        .await
        .unwrap();
    assert_eq!(
        (ready(&backends).await, faults.calls(Call::Publish)),
        (1, 3)
    );
}

#[tokio::test]
async fn an_outage_reaches_consumers_that_are_open() {
    let (backends, faults) = inject(MemoryBroker::new().backends());
    let (params, _notices) = params("q");
    let consumer = backends.broker.consumer(params).await.unwrap();
    backends
        .broker
        .publish(vec![publish("q", "a")])
        .await
        .unwrap();
    faults.go_down();
    assert!(consumer.reserve(1).await.unwrap_err().is_transient());
    faults.come_back();
    assert_eq!(consumer.reserve(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stalled_call_goes_on_when_resumed() {
    let (backends, faults) = inject(MemoryBroker::new().backends());
    faults.stall();
    let mut stalled = backends.broker.publish(vec![publish("q", "a")]);
    assert!(stalled.as_mut().now_or_never().is_none());
    assert_eq!(ready(&backends).await, 0);
    faults.resume();
    stalled.await.unwrap();
    assert_eq!(ready(&backends).await, 1);
}

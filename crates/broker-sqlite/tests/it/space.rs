//! A full file: publishing is refused, nothing that was confirmed is lost, and room makes everything work again.

use std::time::Duration;

use broker::{Broker, ErrorKind, Settled, Settlement, Verdict};
use broker_sqlite::SqliteOptions;
use tokio::time::timeout;

use crate::support::{DEADLINE, consumer, id_of, new_file, open_with, publish};

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_loses_nothing_and_recovers() {
    let (_folder, file) = new_file();
    let broker = open_with(SqliteOptions::new(&file).with_max_size(1_000_000)).await;
    let consumer = consumer(&broker, LEASE).await;

    let mut confirmed = Vec::new();
    let error = loop {
        let id = format!("task-{}", confirmed.len());
        match broker.publish(vec![publish(&id, 20_000)]).await {
            Ok(()) => confirmed.push(id),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(error.is_transient());
    assert!(error.to_string().contains("free space"), "{error}");

    let mut delivered = Vec::new();
    while delivered.len() < confirmed.len() {
        let deliveries = timeout(DEADLINE, consumer.reserve(10))
            .await
            .unwrap()
            .unwrap();
        for delivery in deliveries {
            delivered.push(id_of(&delivery));
            let settle = consumer.settle(vec![Settlement::new(delivery.tag, Verdict::Ack)]);
            assert_eq!(
                timeout(DEADLINE, settle).await.unwrap().unwrap(),
                [Settled::Done]
            );
        }
    }
    assert_eq!(delivered, confirmed);
    broker
        .publish(vec![publish("again", 20_000)])
        .await
        .unwrap();
}

/// One message that does not fit spoils nothing for those that are committed together with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_request_spares_its_neighbours() {
    let (_folder, file) = new_file();
    let broker = open_with(SqliteOptions::new(&file).with_max_size(1_000_000)).await;
    let large = || broker.publish(vec![publish("large", 3_000_000)]);
    let small = |id: &str| broker.publish(vec![publish(id, 10)]);
    let (first, failed, second, failed_too) =
        tokio::join!(small("a"), large(), small("b"), large());
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(failed_too.unwrap_err().kind(), ErrorKind::Full);
    first.unwrap();
    second.unwrap();
}

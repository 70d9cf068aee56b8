//! The bounds of what waits.

use broker::{Broker as _, ErrorKind};
use outbox::OutboxOptions;

use crate::support::{Stage, publish, send};

#[tokio::test]
async fn a_full_outbox_takes_nothing_and_says_how_full_it_is() {
    let stage = Stage::new();
    stage.faults.go_down();
    let broker = stage
        .open_with(OutboxOptions {
            max_messages: 2,
            ..stage.options()
        })
        .await;
    send(&broker, &["1"]).await;
    let two = vec![publish("q", "2"), publish("q", "3")];
    let error = broker.publish(two).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    let text = error.to_string();
    assert!(text.contains("is full: 1 messages with"), "{text}");
    assert!(text.contains("at most 2"), "{text}");
    assert_eq!(
        broker.outbox().totals().await.unwrap().messages,
        1,
        "all or none"
    );
    send(&broker, &["4"]).await;
}

#[tokio::test]
async fn bytes_are_bounded_too_and_room_comes_back() {
    let stage = Stage::new();
    let (outbox, _sender) = stage.with_waiting(&["1"]).await;
    let bytes = u64::try_from(outbox.totals().await.unwrap().bytes).unwrap();
    let options = OutboxOptions {
        max_bytes: bytes,
        ..stage.options()
    };
    let small = outbox::Outbox::open(options).await.unwrap();
    small.add(&[publish("q", "2")]).await.unwrap_err();
    assert_eq!(small.clear().await.unwrap(), 1);
    small.add(&[publish("q", "2")]).await.unwrap();
}

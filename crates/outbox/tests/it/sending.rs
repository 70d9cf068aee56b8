//! What is sent, and in which order.

use std::time::Duration;

use broker::faults::Call;
use broker::{Binding, Broker as _, ErrorKind, ExchangeKind, Publish, Route};
use jiff::Timestamp;
use outbox::Delivered;
use protocol::{DateTime, TimeLimit};

use crate::support::{PATIENCE, Stage, publish, send};

#[tokio::test]
async fn a_broker_that_answers_gets_everything_directly() {
    let stage = Stage::new();
    let broker = stage.open().await;
    send(&broker, &["1", "2"]).await;
    assert_eq!(stage.delivered("q").await, ["1", "2"]);
    assert_eq!(broker.outbox().totals().await.unwrap().messages, 0);
}

#[tokio::test]
async fn what_waits_is_delivered_in_its_order_when_the_broker_is_back() {
    let stage = Stage::new();
    let broker = stage.open().await;
    send(&broker, &["1"]).await;
    stage.faults.go_down();
    send(&broker, &["2", "3"]).await;
    assert_eq!(broker.outbox().totals().await.unwrap().messages, 2);
    assert_eq!(stage.delivered("q").await, ["1"]);
    stage.faults.come_back();
    // Behind those that wait, although the broker is there.
    send(&broker, &["4"]).await;
    assert!(broker.flush(PATIENCE).await);
    send(&broker, &["5"]).await;
    assert_eq!(stage.delivered("q").await, ["1", "2", "3", "4", "5"]);
    assert_eq!(broker.outbox().totals().await.unwrap().bytes, 0);
}

#[tokio::test]
async fn a_broker_that_does_not_answer_in_time_counts_as_down() {
    let stage = Stage::new();
    let mut options = stage.options();
    options.timeout = Duration::from_millis(50);
    let broker = stage.open_with(options).await;
    stage.faults.stall();
    send(&broker, &["1"]).await;
    assert_eq!(broker.outbox().totals().await.unwrap().messages, 1);
}

#[tokio::test]
async fn the_next_process_sends_what_the_last_one_left() {
    let stage = Stage::new();
    stage.faults.go_down();
    let broker = stage.open().await;
    send(&broker, &["1", "2"]).await;
    drop(broker);
    stage.faults.come_back();
    let next = stage.open().await;
    assert!(next.flush(PATIENCE).await);
    assert_eq!(stage.delivered("q").await, ["1", "2"]);
}

#[tokio::test]
async fn a_message_keeps_what_it_says_and_where_it_goes() {
    let stage = Stage::new();
    let binding = Binding {
        queue: "videos".to_owned(),
        exchange: "media".to_owned(),
        routing_key: "video.*".to_owned(),
    };
    stage
        .broker()
        .bind(binding, ExchangeKind::Topic)
        .await
        .unwrap();
    stage.faults.go_down();
    let broker = stage.open().await;
    let at = Timestamp::now();
    let mut published = Publish {
        route: Route::Exchange {
            name: "media".to_owned(),
            kind: ExchangeKind::Topic,
            routing_key: "video.hd".to_owned(),
        },
        ..publish("q", "1")
    };
    published.message.headers.timelimit = Some(TimeLimit::default());
    published.message.headers.eta = Some(DateTime::from(at));
    published.message.headers.expires = Some(DateTime::from(at));
    published.message.properties.expiration = Some("5000".to_owned());
    published.message.properties.priority = Some(3);
    broker.publish(vec![published.clone()]).await.unwrap();
    stage.faults.come_back();
    assert!(broker.flush(PATIENCE).await);
    let sent = stage.messages("videos").await.remove(0);
    assert_eq!(sent.headers, published.message.headers);
    assert_eq!(sent.body, published.message.body);
    assert_eq!(
        sent.properties.expiration,
        published.message.properties.expiration
    );
    assert_eq!(sent.properties.priority, Some(3));
}

#[tokio::test]
async fn one_sender_at_a_time_delivers() {
    let stage = Stage::new();
    let (_outbox, sender) = stage.with_waiting(&["1"]).await;
    stage.faults.stall();
    let first = tokio::spawn({
        let sender = sender.clone();
        async move { sender.deliver().await.unwrap() }
    });
    // It has the lock and waits for the broker.
    while stage.faults.calls(Call::Publish) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(sender.deliver().await.unwrap(), Delivered::Elsewhere);
    stage.faults.resume();
    assert_eq!(first.await.unwrap(), Delivered::All { sent: 1 });
    assert_eq!(stage.delivered("q").await, ["1"]);
}

#[tokio::test]
async fn what_the_broker_refuses_stays_with_the_reason_and_holds_up_nobody() {
    let stage = Stage::new();
    let (outbox, sender) = stage.with_waiting(&["1", "2", "3"]).await;
    // Once for all three together, once for the first alone.
    stage.faults.fail_next(Call::Publish, 2, ErrorKind::Invalid);
    assert_eq!(sender.deliver().await.unwrap(), Delivered::All { sent: 2 });
    assert_eq!(stage.delivered("q").await, ["2", "3"]);
    let waiting = outbox.list(10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].task_id.as_str()), (1, "1"));
    let reason = waiting[0].refused.as_deref().unwrap();
    assert!(reason.contains("injected fault"), "{reason}");
    outbox.forgive().await.unwrap();
    assert_eq!(sender.deliver().await.unwrap(), Delivered::All { sent: 1 });
}

#[tokio::test]
async fn what_an_operator_must_mend_stops_the_sending_and_loses_nothing() {
    let stage = Stage::new();
    let (outbox, sender) = stage.with_waiting(&["1", "2"]).await;
    stage.faults.fail_next(Call::Publish, 1, ErrorKind::Denied);
    let error = sender.deliver().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(outbox.totals().await.unwrap().messages, 2);
    sender.deliver().await.unwrap();
    assert_eq!(stage.delivered("q").await, ["1", "2"]);
}

#[tokio::test]
async fn a_call_that_the_broker_refuses_is_an_error_and_does_not_wait() {
    let stage = Stage::new();
    let broker = stage.open().await;
    stage.faults.fail_next(Call::Publish, 1, ErrorKind::Invalid);
    let error = broker.publish(vec![publish("q", "1")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(broker.outbox().totals().await.unwrap().messages, 0);
}

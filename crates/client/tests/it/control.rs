//! Requests and replies, with a hand-made node on the other side.

use std::time::Duration;

use broker::{Broker, ExchangeKind, MemoryBroker, Publish, Route, Source};
use client::{Client, ClientOptions, reply_error};
use protocol::control::{Reply, Request};
use protocol::{Accept, Codec, Limits, Map, Value};

/// Answers every request under this node's name with what `answer` says, and once with another request's ticket.
async fn node(broker: MemoryBroker, answer: fn(&Request) -> Value) -> tokio::task::JoinHandle<()> {
    let source = Source::Broadcast {
        exchange: "celery.pidbox".to_owned(),
        binding_key: String::new(),
    };
    let mut requests = broker.subscribe(source).await.unwrap();
    tokio::spawn(async move {
        while let Some(message) = requests.next().await {
            let request =
                Request::from_message(&message, &Accept::default(), &Limits::default()).unwrap();
            let Some(reply_to) = request.reply_to.clone() else {
                continue;
            };
            for ticket in [
                Some("of another request".to_owned()),
                request.ticket.clone(),
            ] {
                let reply = Reply {
                    node: "w1@test".to_owned(),
                    value: answer(&request),
                    ticket,
                    clock: Some(40),
                };
                let message = reply
                    .to_message(&reply_to.routing_key, Codec::Json, "tag")
                    .unwrap();
                let (name, routing_key) = (reply_to.exchange.clone(), reply_to.routing_key.clone());
                let route = Route::Exchange {
                    name,
                    kind: ExchangeKind::Direct,
                    routing_key,
                };
                broker
                    .publish(vec![Publish { message, route }])
                    .await
                    .unwrap();
            }
        }
    })
}

#[tokio::test]
async fn replies_are_collected_by_ticket_and_move_the_clock() {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), ClientOptions::default());
    let node = node(broker, |request| Value::from(request.method.as_str())).await;
    let request = client.control().request("ping", Map::new());
    let replies = request
        .destination(vec!["w1@test".to_owned()])
        .timeout(Duration::from_secs(20))
        .collect()
        .await
        .unwrap();
    assert_eq!(replies.len(), 1);
    assert_eq!(
        (replies[0].node.as_str(), &replies[0].value),
        ("w1@test", &Value::from("ping"))
    );
    assert!(client.clock().value() > 40);
    node.abort();
}

#[tokio::test]
async fn an_error_reply_is_recognised() {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), ClientOptions::default());
    let node = node(broker, |_| {
        Value::Map(Map::from_iter([("error", "KeyError('x')")]))
    })
    .await;
    let inspect = client
        .control()
        .inspect()
        .destination(vec!["w1@test".to_owned()])
        .timeout(Duration::from_secs(20));
    let answers = inspect.stats().await.unwrap();
    assert_eq!(reply_error(&answers["w1@test"]), Some("KeyError('x')"));
    node.abort();
}

#[tokio::test]
async fn without_nodes_there_are_no_replies() {
    let client = Client::new(MemoryBroker::new().backends(), ClientOptions::default());
    assert!(
        client
            .control()
            .ping()
            .timeout(Duration::from_millis(50))
            .collect()
            .await
            .unwrap()
            .is_empty()
    );
}

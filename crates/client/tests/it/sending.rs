//! What calls look like on the broker.

use std::time::Duration;

use broker::faults::{Call as Fault, inject};
use broker::{Admin, ErrorKind, MemoryBroker};
use client::{
    CallOptions, Client, ClientError, ClientOptions, Propagator, PublishRetryPolicy, RouteOptions,
    TaskCall,
};
use protocol::{Accept, Codec, Compression, Limits, Map, Message, Signature, TaskRequest, Value};
use serde::Serialize;

async fn sent(broker: &MemoryBroker, queue: &str) -> Vec<Message> {
    let raw = broker.peek(queue, 100).await.unwrap();
    raw.iter()
        .map(|raw| Message::from_envelope(raw, &Limits::default()).unwrap())
        .collect()
}

async fn only(broker: &MemoryBroker, queue: &str) -> TaskRequest {
    let messages = sent(broker, queue).await;
    let [message] = messages.as_slice() else {
        panic!("{} messages in {queue}", messages.len())
    };
    let accept = Accept::new([Codec::Json, Codec::Msgpack]);
    TaskRequest::from_message(message, &accept, &Limits::default()).unwrap()
}

fn open(options: ClientOptions) -> (MemoryBroker, Client) {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), options);
    (broker, client)
}

#[derive(Serialize)]
struct Refresh {
    portfolio_id: i64,
}

#[tokio::test]
async fn every_option_reaches_the_message() {
    let (broker, client) = open(ClientOptions::default());
    let refresh = Refresh { portfolio_id: 7 };
    let eta = "2031-02-03T04:05:06Z".parse::<jiff::Timestamp>().unwrap();
    let expires = "2031-02-03T05:05:06Z".parse::<jiff::Timestamp>().unwrap();
    let result = client
        .task::<String>("finflow.refresh")
        .arg("first")
        .kwargs(&refresh)
        .task_id("id-1")
        .eta(eta)
        .expires(expires)
        .priority(6)
        .queue("analytics")
        .header("tenant", "acme")
        .ignore_result(false)
        .link(Signature::new("done"))
        .link_error(Signature::new("failed"))
        .time_limit(60.0)
        .soft_time_limit(50.0)
        .serializer(Codec::Msgpack)
        .compression(Compression::from_name("zlib").unwrap())
        .shadow("refresh")
        .group_id("group-1")
        .group_index(2)
        .send()
        .await
        .unwrap();
    assert_eq!(result.id(), "id-1");
    let waiting = broker.deferred(10).await.unwrap();
    let raw = match waiting.first() {
        Some(waiting) => waiting.raw.clone(),
        None => broker.peek("analytics", 1).await.unwrap().remove(0),
    };
    let message = Message::from_envelope(&raw, &Limits::default()).unwrap();
    let request =
        TaskRequest::from_message(&message, &Accept::new([Codec::Msgpack]), &Limits::default())
            .unwrap();
    assert_eq!(request.args, [Value::from("first")]);
    assert_eq!(request.kwargs.get("portfolio_id"), Some(&Value::Int(7)));
    assert_eq!((request.eta, request.expires), (Some(eta), Some(expires)));
    assert_eq!(request.priority, Some(6));
    assert_eq!(request.routing_key, "analytics");
    assert_eq!(request.extra.get("tenant"), Some(&Value::from("acme")));
    assert_eq!(request.ignore_result, Some(false));
    assert_eq!(request.embed.callbacks.unwrap()[0].task, "done");
    assert_eq!(request.embed.errbacks.unwrap()[0].task, "failed");
    assert_eq!(
        (request.timelimit.hard, request.timelimit.soft),
        (Some(60.0), Some(50.0))
    );
    assert_eq!(
        (request.codec, request.compression.is_some()),
        (Codec::Msgpack, true)
    );
    assert_eq!(request.shadow.as_deref(), Some("refresh"));
    assert_eq!(
        (request.group.as_deref(), request.group_index),
        (Some("group-1"), Some(2))
    );
    assert_eq!(request.root_id.as_deref(), Some("id-1"));
    assert_eq!(request.argsrepr.as_deref(), Some("('first',)"));
    assert!(
        request
            .origin
            .unwrap()
            .starts_with(&format!("gen{}@", std::process::id()))
    );
    assert!(message.properties.expiration.is_some());
}

#[tokio::test]
async fn routes_decide_where_a_task_goes() {
    let route = RouteOptions {
        queue: Some("analytics".to_owned()),
        ..RouteOptions::default()
    };
    let task_routes = [("finflow.*", route)].into_iter().collect();
    let (broker, client) = open(ClientOptions {
        task_routes,
        ..ClientOptions::default()
    });
    client.task::<()>("finflow.refresh").send().await.unwrap();
    client.task::<()>("other").send().await.unwrap();
    assert_eq!(only(&broker, "analytics").await.task, "finflow.refresh");
    assert_eq!(only(&broker, "celery").await.task, "other");
}

#[tokio::test]
async fn a_batch_is_one_round_trip_and_all_or_none() {
    let broker = MemoryBroker::new();
    let (backends, faults) = inject(broker.backends());
    let client = Client::new(backends, ClientOptions::default());
    let calls = (0..50).map(|_| TaskCall::new("demo.add")).collect();
    let results = client.send_all(calls).await.unwrap();
    assert_eq!(results.len(), 50);
    assert_eq!(faults.calls(Fault::Publish), 1);
    assert_eq!(sent(&broker, "celery").await.len(), 50);

    let far = CallOptions {
        countdown: Some(Duration::from_secs(u64::MAX / 4)),
        ..CallOptions::default()
    };
    let calls = vec![
        TaskCall::new("demo.add"),
        TaskCall {
            options: far,
            ..TaskCall::new("demo.add")
        },
    ];
    assert!(matches!(
        client.send_all(calls).await,
        Err(ClientError::TimeOutOfRange { .. })
    ));
    assert_eq!(sent(&broker, "celery").await.len(), 50);
}

#[tokio::test]
async fn publishing_is_repeated_within_its_policy() {
    let broker = MemoryBroker::new();
    let (backends, faults) = inject(broker.backends());
    let client = Client::new(backends, ClientOptions::default());
    faults.fail_next(Fault::Publish, 2, ErrorKind::Unreachable);
    client.task::<()>("demo.add").send().await.unwrap();
    assert_eq!(faults.calls(Fault::Publish), 3);

    faults.go_down();
    let once = PublishRetryPolicy {
        max_retries: Some(0),
        ..PublishRetryPolicy::default()
    };
    let error = client
        .task::<()>("demo.add")
        .retry_policy(once)
        .send()
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Publish(source) if source.kind() == ErrorKind::Unreachable)
    );
    assert_eq!(faults.calls(Fault::Publish), 4);
    faults.come_back();

    faults.fail_next(Fault::Publish, 1, ErrorKind::Denied);
    assert!(client.task::<()>("demo.add").send().await.is_err());
    assert_eq!(
        faults.calls(Fault::Publish),
        5,
        "what waiting does not mend is not repeated"
    );
}

#[tokio::test]
async fn arguments_that_have_no_names_are_refused() {
    let (broker, client) = open(ClientOptions::default());
    let error = client
        .task::<()>("demo.add")
        .kwargs(&[1, 2])
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the arguments of demo.add are a list, but keyword arguments must be a struct or a map"
    );
    assert!(sent(&broker, "celery").await.is_empty());
}

#[derive(Debug)]
struct Fixed;

impl Propagator for Fixed {
    fn inject(&self, headers: &mut Map) {
        headers.insert(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
    }
}

#[tokio::test]
async fn the_trace_context_is_injected() {
    let (broker, client) = open(ClientOptions {
        propagator: Some(std::sync::Arc::new(Fixed)),
        ..ClientOptions::default()
    });
    client.task::<()>("demo.add").send().await.unwrap();
    let request = only(&broker, "celery").await;
    assert_eq!(
        client::trace_id(&request.extra),
        Some("0af7651916cd43dd8448eb211c80319c")
    );
}

//! Compressed bodies and results, with real Python Celery on the other side, both ways; and what expands to more than is allowed.

use broker::{Broker, Delivery, ResultBackend, ResultPolicy};
use broker_redis::{RedisBroker, RedisResults};
use client::{CallOptions, Client, ClientOptions, TaskCall};
use protocol::{Accept, Compression, Limits, State, TaskMeta, Value};

use crate::python_stage::PythonStage;
use crate::support::{consumer, open, options, take};

/// By kombu's names; what else it knows needs modules that Python does not bring.
const NAMES: [&str; 3] = ["gzip", "bzip2", "lzma"];
const THRESHOLD: usize = 1_000;

const APP: &str = r#"
import json, os
from celery import Celery

app = Celery("packed", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.broker_connection_retry_on_startup = False

def received(count):
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("to_python")
        for _ in range(count):
            message = queue.get(timeout=30)
            message.ack()
            print(json.dumps([message.headers.get("compression"), message.payload[0]]))
"#;

fn stage() -> PythonStage {
    PythonStage::new("packed", APP)
}

fn long() -> Value {
    Value::from("long ".repeat(THRESHOLD))
}

fn packing(name: &str) -> ClientOptions {
    ClientOptions {
        task_compression: Some(Compression::from_name(name).unwrap()),
        task_compression_threshold: THRESHOLD,
        ..ClientOptions::default()
    }
}

async fn send(broker: &std::sync::Arc<RedisBroker>, options: ClientOptions, argument: Value) {
    let backends = broker::Backends {
        admin: broker.clone(),
        coordinator: broker.clone(),
        broker: broker.clone(),
        results: None,
    };
    let call = TaskCall {
        args: vec![argument],
        options: CallOptions {
            queue: Some("to_python".to_owned()),
            ..CallOptions::default()
        },
        ..TaskCall::new("tests.echo")
    };
    let client = Client::new(backends, options);
    client.send_all(vec![call]).await.unwrap();
}

fn body(delivery: &Delivery) -> Result<Value, protocol::DecodeError> {
    let message = delivery.message.as_ref().unwrap();
    message.decode_body(&Accept::default(), &Limits::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_what_is_compressed_above_the_threshold_and_what_is_not_below() {
    let stage = stage();
    let broker = open(&stage.server).await;
    let mut expected = Vec::new();
    for name in NAMES {
        send(&broker, packing(name), long()).await;
        send(&broker, packing(name), Value::from("short")).await;
        let mime = Compression::from_name(name).unwrap().content_type();
        expected.push((Value::from(mime), long()));
        expected.push((Value::Null, Value::from("short")));
    }
    let read = stage.run(&format!("received({})", expected.len()));
    assert_eq!(read.lines().count(), expected.len(), "{read}");
    for (line, (compression, argument)) in read.lines().zip(expected) {
        let line: Value = protocol::Codec::Json
            .decode(line.as_bytes(), &Limits::default())
            .unwrap();
        assert_eq!(
            line,
            Value::List(vec![compression, Value::List(vec![argument])])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_compresses_is_read() {
    let stage = stage();
    let broker = open(&stage.server).await;
    for name in NAMES {
        stage.run(&format!(
            "app.send_task('tests.echo', args=['long ' * {THRESHOLD}], compression='{name}', queue='ours')"
        ));
    }
    let consumer = consumer(&broker, &["ours"]).await;
    for delivery in take(&*consumer, NAMES.len()).await {
        let message = delivery.message.as_ref().unwrap();
        assert!(message.body.len() < THRESHOLD, "it came compressed");
        let body = body(&delivery).unwrap();
        assert_eq!(body.as_list().unwrap()[0], Value::List(vec![long()]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_compressed_above_the_threshold_and_read_both_ways() {
    let stage = stage();
    for name in NAMES {
        let policy = ResultPolicy {
            compression: Some(Compression::from_name(name).unwrap()),
            compression_threshold: THRESHOLD,
            ..ResultPolicy::default()
        };
        let results = RedisResults::connect(options(&stage.server.url()), policy)
            .await
            .unwrap();
        let meta = |id: &str, value| TaskMeta::new(id, State::Success, value);
        results
            .store(vec![meta("long", long()), meta("short", Value::from("s"))])
            .await
            .unwrap();
        let stored = |id: &str| {
            stage
                .server
                .cli(&["GET", &format!("celery-task-meta-{id}")])
        };
        assert!(
            stored("short").starts_with('{') && !stored("long").starts_with('{'),
            "{name}"
        );
        let read = stage.run(&format!(
            "app.conf.result_compression = '{name}'\n\
             print(app.AsyncResult('long').get(timeout=30) == 'long ' * {THRESHOLD}, app.AsyncResult('short').get(timeout=30))\n\
             app.backend.store_result('python', 'long ' * {THRESHOLD}, 'SUCCESS')"
        ));
        assert_eq!(read.trim(), "True s");
        assert!(
            !stored("python").starts_with('{'),
            "Python has compressed it with {name}"
        );
        let python = results
            .fetch(&["python".to_owned()])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!(python.result, long());
        results
            .forget(&["long", "short", "python"].map(str::to_owned))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expands_to_more_than_allowed_is_refused_and_says_so() {
    let stage = stage();
    let broker = open(&stage.server).await;
    let too_much = Limits::default().decompressed + 1;
    stage.run(&format!(
        "text = 'x' * {too_much}\n\
         app.conf.result_compression = 'gzip'\n\
         app.backend.store_result('bomb', text, 'SUCCESS')\n\
         app.send_task('tests.echo', args=[text], compression='gzip', queue='ours')"
    ));
    let says = "larger than the limit of 67108864 bytes";
    let results = RedisResults::connect(options(&stage.server.url()), ResultPolicy::default());
    let error = results
        .await
        .unwrap()
        .fetch(&["bomb".to_owned()])
        .await
        .unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
    let consumer = broker
        .consumer(crate::support::params(&["ours"]).0)
        .await
        .unwrap();
    let error = body(&take(&*consumer, 1).await[0]).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
}

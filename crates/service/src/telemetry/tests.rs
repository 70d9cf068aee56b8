use broker::MemoryBroker;
use client::{Client, ClientOptions};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use worker::{Context, Outcome, Registry, Shutdown, Task, Worker, WorkerParams, WorkerSettings};

use super::*;

#[derive(Serialize, Deserialize)]
struct TraceId {}

impl Task for TraceId {
    const NAME: &'static str = "trace_id";
    type Output = String;
    async fn run(self, _: &Context) -> Result<String, Outcome> {
        Ok(current_trace_id())
    }
}

fn current_trace_id() -> String {
    Span::current()
        .context()
        .span()
        .span_context()
        .trace_id()
        .to_string()
}

#[tokio::test]
async fn the_caller_s_trace_goes_on_in_the_worker() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let propagator = Some(Arc::new(TraceContext) as _);
    let options = ClientOptions {
        propagator,
        ..ClientOptions::default()
    };
    let client = Client::new(MemoryBroker::new().backends(), options);
    let params = WorkerParams {
        client: client.clone(),
        registry: Registry::new().task::<TraceId>(),
        settings: WorkerSettings::default(),
        hooks: vec![Arc::new(TraceContext)],
        ready: None,
    };
    let shutdown = Shutdown::new();
    let running = tokio::spawn(Worker::new(params).unwrap().run(shutdown.clone()));

    let span = info_span!("caller");
    let called = async {
        (
            current_trace_id(),
            client.task::<String>(TraceId::NAME).send().await.unwrap(),
        )
    };
    let (ours, result) = called.instrument(span).await;
    let theirs = result.get(Duration::from_secs(60)).await.unwrap();
    assert_eq!(ours, theirs);
    assert!(
        ours.bytes().any(|byte| byte != b'0'),
        "an id of zeros is none"
    );

    shutdown.warm.cancel();
    running.await.unwrap().unwrap();
}

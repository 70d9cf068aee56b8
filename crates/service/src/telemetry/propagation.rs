//! W3C trace context: out of the current span into message headers, and out of message headers into a run's span.

use client::Propagator;
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::propagation::{Extractor, Injector};
use protocol::{Map, Value};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use worker::{Context, Hook};

/// The bridge between spans and message headers; does nothing while no traces are exported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceContext;

impl Propagator for TraceContext {
    fn inject(&self, headers: &mut Map) {
        let context = Span::current().context();
        get_text_map_propagator(|propagator| {
            propagator.inject_context(&context, &mut Headers(headers));
        });
    }
}

impl Hook for TraceContext {
    fn on_span(&self, ctx: &Context, span: &Span) {
        let parent =
            get_text_map_propagator(|propagator| propagator.extract(&Received(ctx.headers())));
        // An error means that no traces are exported.
        let _ = span.set_parent(parent);
    }
}

struct Headers<'a>(&'a mut Map);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key, value);
    }
}

struct Received<'a>(&'a Map);

impl Extractor for Received<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().collect()
    }
}

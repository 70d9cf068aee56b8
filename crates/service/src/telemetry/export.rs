//! The export of traces over OTLP/gRPC, and the W3C propagator.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::Error;
use crate::settings::Settings;

/// The provider that exports to `celeriac_otlp_endpoint`; `None` when there is none.
///
/// The exporter is the gRPC one, built inside the runtime: the batch processor runs on a thread of its own,
/// where an async HTTP client would have no reactor and lose spans silently.
pub(super) fn provider(
    program: &'static str,
    settings: &Settings,
) -> Result<Option<SdkTracerProvider>, Error> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let Some(endpoint) = settings.text("celeriac_otlp_endpoint") else {
        return Ok(None);
    };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build();
    let exporter = exporter.map_err(|source| Error::Telemetry {
        endpoint: crate::settings::mask_urls(endpoint),
        source: source.into(),
    })?;
    let resource = Resource::builder().with_service_name(program).build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    opentelemetry::global::set_tracer_provider(provider.clone());
    Ok(Some(provider))
}

/// The layer that turns spans into traces.
pub(super) fn layer<S>(
    program: &'static str,
    provider: &SdkTracerProvider,
) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer().with_tracer(provider.tracer(program))
}

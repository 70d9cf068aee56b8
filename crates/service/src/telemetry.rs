//! Logs and traces: one subscriber for the process. Traces leave it only when an endpoint is configured.
//!
//! It owns formats, levels and the exporter; what is logged is the business of the other crates.

mod export;
mod fields;
mod logs;
mod propagation;
#[cfg(test)]
mod tests;

use opentelemetry_sdk::trace::SdkTracerProvider;
pub(crate) use propagation::TraceContext;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::Error;
use crate::settings::Settings;

/// Keeps telemetry alive; call [`Telemetry::shutdown`] before the program ends.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logging, and exporting when `celeriac_otlp_endpoint` is set. Must be called inside the runtime, once.
    ///
    /// # Errors
    /// When the log file cannot be opened or the exporter cannot be built.
    pub fn start(program: &'static str, settings: &Settings) -> Result<Self, Error> {
        let provider = export::provider(program, settings)?;
        let traces = provider
            .as_ref()
            .map(|provider| export::layer(program, provider).with_filter(logs::filter(settings)));
        tracing_subscriber::registry()
            .with(traces)
            .with(logs::layer(settings)?.with_filter(logs::filter(settings)))
            .init();
        Ok(Self { provider })
    }

    /// Sends what is still to be sent, and stops.
    pub async fn shutdown(self) {
        let Some(provider) = self.provider else {
            return;
        };
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(%error, "the last traces could not be exported");
        }
    }
}

/// Logs warnings and worse to standard error, for commands whose output is for people.
pub fn log_warnings() {
    let warnings = Targets::new().with_default(LevelFilter::WARN);
    let filter = logs::from_environment().unwrap_or(warnings);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(logs::is_colored())
        .with_target(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.without_time())
        .init();
}

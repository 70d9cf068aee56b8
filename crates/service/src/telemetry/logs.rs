//! Log lines: level, format, and where they go.

use std::fs::{File, OpenOptions};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::Error;
use crate::settings::Settings;

/// Libraries whose own lines are worth seeing only when something is wrong.
const QUIET: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "opentelemetry_sdk",
    "redis",
    "rustls",
    "sqlx",
    "tonic",
    "tower",
];

/// The span of a task's run.
const RUN: &str = "run";

/// What is logged: `RUST_LOG` when set, else the level from the settings with libraries kept quiet. A run's span
/// passes at every level, so that an error within it tells the task's id, and a trace is not empty.
pub(super) fn filter<S>(settings: &Settings) -> impl Filter<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let level = level(settings.text("celeriac_log_level").unwrap_or("INFO"));
    let lines =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(directives(level)));
    let runs = filter_fn(|metadata| metadata.is_span() && metadata.name() == RUN);
    lines.or(runs.with_max_level_hint(LevelFilter::INFO))
}

fn directives(level: &str) -> String {
    QUIET.iter().fold(level.to_owned(), |all, library| {
        format!("{all},{library}=warn")
    })
}

/// Celery's level name as tracing's.
fn level(name: &str) -> &'static str {
    match name {
        "DEBUG" => "debug",
        "WARNING" => "warn",
        "ERROR" | "CRITICAL" | "FATAL" => "error",
        _ => "info",
    }
}

/// The lines, for people or for programs.
pub(super) fn layer<S>(settings: &Settings) -> Result<Box<dyn Layer<S> + Send + Sync>, Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let file = settings.text("celeriac_log_file").map(open).transpose()?;
    let colored = file.is_none() && is_colored();
    let color = settings.bool("worker_log_color").unwrap_or(colored);
    let writer = match file {
        Some(file) => BoxMakeWriter::new(Arc::new(file)),
        None => BoxMakeWriter::new(std::io::stderr),
    };
    Ok(match settings.text("celeriac_log_format") {
        Some("json") => json(writer),
        _ => human(writer, color),
    })
}

/// Whether standard error is a terminal whose user has not asked for plain text (`NO_COLOR`).
pub(super) fn is_colored() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !plain
}

fn human<S, W>(writer: W, color: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(color)
        .with_target(false)
        .boxed()
}

fn json<S, W>(writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false);
    layer
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .boxed()
}

fn open(path: &str) -> Result<File, Error> {
    let fail = |source| Error::WriteFile {
        path: Path::new(path).to_owned(),
        source,
    };
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn celery_s_levels_are_known() {
        let levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL"].map(level);
        assert_eq!(levels, ["debug", "info", "warn", "error", "error", "error"]);
    }

    #[test]
    fn libraries_are_kept_quiet() {
        let text = directives("debug");
        assert!(text.starts_with("debug,h2=warn"));
        assert!(EnvFilter::try_new(text).is_ok());
    }
}

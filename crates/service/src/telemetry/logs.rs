//! Log lines: level, format, and where they go.

use std::fs::{File, OpenOptions};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
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
    let lines = from_environment().unwrap_or_else(|| targets(level));
    let runs = filter_fn(|metadata| metadata.is_span() && metadata.name() == RUN);
    lines.or(runs.with_max_level_hint(LevelFilter::INFO))
}

/// `RUST_LOG`, such as `info,sqlx=debug`.
pub(super) fn from_environment() -> Option<Targets> {
    std::env::var("RUST_LOG").ok()?.parse().ok()
}

fn targets(level: LevelFilter) -> Targets {
    let quiet = level.min(LevelFilter::WARN);
    let libraries = QUIET.iter().map(|library| (*library, quiet));
    Targets::new().with_default(level).with_targets(libraries)
}

/// Celery's level name as tracing's.
fn level(name: &str) -> LevelFilter {
    match name {
        "DEBUG" => LevelFilter::DEBUG,
        "WARNING" => LevelFilter::WARN,
        "ERROR" | "CRITICAL" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
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
        .fmt_fields(Fields::default())
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
        let (debug, info, warn, error) = (
            LevelFilter::DEBUG,
            LevelFilter::INFO,
            LevelFilter::WARN,
            LevelFilter::ERROR,
        );
        assert_eq!(levels, [debug, info, warn, error, error, error]);
    }

    #[test]
    fn libraries_are_kept_quiet_and_never_louder_than_the_rest() {
        let debug = targets(LevelFilter::DEBUG);
        assert!(debug.would_enable("worker", &tracing::Level::DEBUG));
        assert!(!debug.would_enable("h2::client", &tracing::Level::INFO));
        let error = targets(LevelFilter::ERROR);
        assert!(!error.would_enable("h2::client", &tracing::Level::WARN));
    }
}

//! What a program answers to those who watch it: is it alive, does it do its work, its metrics.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use beat::{Beat, Role};
use worker::{Health, Readiness};

/// Every loop turns within seconds; one that has not for this long hangs.
const PULSE: Duration = Duration::from_secs(20);
/// How an OpenMetrics text ends.
const END: &str = "# EOF\n";
/// What Prometheus asks for and understands.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is watched: a worker, a beat.
pub(crate) trait Watch: Send + Sync + fmt::Debug {
    /// How long ago its loop turned.
    fn age(&self) -> Duration;

    /// Whether it does its work, and in words.
    fn readiness(&self) -> (bool, String);

    /// Its metrics as OpenMetrics text.
    fn metrics(&self) -> String;
}

impl Watch for Health {
    fn age(&self) -> Duration {
        Self::age(self)
    }

    fn readiness(&self) -> (bool, String) {
        let readiness = Self::readiness(self);
        (readiness.is_ready(), readiness.to_string())
    }

    fn metrics(&self) -> String {
        Self::metrics(self)
    }
}

/// One that stands by is ready to lead.
impl Watch for Beat {
    fn age(&self) -> Duration {
        Self::age(self)
    }

    fn readiness(&self) -> (bool, String) {
        let role = self.role();
        let text = match role {
            Role::Connecting => "the broker does not answer",
            Role::Standby => "another beat leads",
            Role::Leader => "leading",
        };
        (role != Role::Connecting, text.to_owned())
    }

    fn metrics(&self) -> String {
        self.metrics_text()
    }
}

/// What a program runs, from when it does: it answers before, while it waits for its broker.
pub(crate) type Watched = Arc<OnceLock<Vec<Arc<dyn Watch>>>>;

/// `/livez`, `/readyz` and `/metrics`.
pub(crate) fn routes(watched: Watched) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(watched)
}

/// Whether all loops turn. The broker has no say in it: a restart would not bring it back.
async fn livez(State(watched): State<Watched>) -> Response {
    let ages = watched.get().into_iter().flatten().map(|part| part.age());
    let age = ages.max().unwrap_or_default();
    if age < PULSE {
        return "ok\n".into_response();
    }
    let text = format!("the loop has stood still for {} s\n", age.as_secs());
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Whether everything does its work.
async fn readyz(State(watched): State<Watched>) -> Response {
    let Some(parts) = watched.get() else {
        return starting();
    };
    let (ready, texts): (Vec<bool>, Vec<String>) =
        parts.iter().map(|part| part.readiness()).unzip();
    answer(ready.iter().all(|ready| *ready), &texts.join("; "))
}

fn starting() -> Response {
    answer(false, &Readiness::Starting.to_string())
}

fn answer(is_ready: bool, text: &str) -> Response {
    let status = match is_ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{text}\n")).into_response()
}

/// The metrics of all parts as one text.
async fn metrics(State(watched): State<Watched>) -> Response {
    let Some(parts) = watched.get() else {
        return starting();
    };
    let mut text = String::new();
    for part in parts {
        text.push_str(part.metrics().trim_end_matches(END));
    }
    text.push_str(END);
    ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response()
}

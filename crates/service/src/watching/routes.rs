//! What a worker answers to those who watch it: is it alive, does it consume, its metrics.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use worker::{Health, Readiness};

/// The worker's loop turns every second; one that has not for this long hangs.
const PULSE: Duration = Duration::from_secs(20);
/// What Prometheus asks for and understands.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The worker's health from when there is a worker: the program answers before, while it waits for its broker.
pub(crate) type Watched = Arc<OnceLock<Health>>;

/// `/livez`, `/readyz` and `/metrics`.
pub(crate) fn routes(watched: Watched) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(watched)
}

/// Whether the worker's loop turns. The broker has no say in it: a restart would not bring it back.
async fn livez(State(watched): State<Watched>) -> Response {
    let age = watched.get().map(Health::age).unwrap_or_default();
    if age < PULSE {
        return "ok\n".into_response();
    }
    let text = format!("the loop has stood still for {} s\n", age.as_secs());
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Whether the worker consumes.
async fn readyz(State(watched): State<Watched>) -> Response {
    let readiness = watched.get().map(Health::readiness).unwrap_or_default();
    answer_readiness(readiness)
}

fn answer_readiness(readiness: Readiness) -> Response {
    let status = match readiness.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{readiness}\n")).into_response()
}

async fn metrics(State(watched): State<Watched>) -> Response {
    match watched.get() {
        Some(health) => ([(header::CONTENT_TYPE, OPENMETRICS)], health.metrics()).into_response(),
        None => answer_readiness(Readiness::Starting),
    }
}

//! What a worker answers to those who watch it: is it alive, does it consume, its metrics.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use worker::Health;

/// The worker's loop turns every second; one that has not for this long hangs.
const PULSE: Duration = Duration::from_secs(20);
/// What Prometheus asks for and understands.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/livez`, `/readyz` and `/metrics`.
pub(super) fn routes(health: Health) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Whether the worker's loop turns. The broker has no say in it: a restart would not bring it back.
async fn livez(State(health): State<Health>) -> Response {
    let age = health.age();
    if age < PULSE {
        return "ok\n".into_response();
    }
    let text = format!("the loop has stood still for {} s\n", age.as_secs());
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Whether the worker consumes.
async fn readyz(State(health): State<Health>) -> Response {
    let readiness = health.readiness();
    let status = match readiness.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{readiness}\n")).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    ([(header::CONTENT_TYPE, OPENMETRICS)], health.metrics()).into_response()
}

//! Commands about the worker itself.

use protocol::Value;
use protocol::event::Event;
use tracing::info;

use super::{Answer, ok};
use crate::engine::Engine;
use crate::{Shutdown, heartbeat};

pub(super) fn enable_events(engine: &Engine, enabled: bool) -> Value {
    let already = if engine.events.enable(enabled) {
        ""
    } else {
        "already "
    };
    let word = if enabled { "enabled" } else { "disabled" };
    ok(format!("task events {already}{word}"))
}

pub(super) async fn heartbeat(engine: &Engine) -> Answer {
    heartbeat::send(engine, Event::worker_heartbeat).await;
    Some(Value::Null)
}

/// Stops warm; as in Celery without a reply.
pub(super) fn shutdown(shutdown: &Shutdown) -> Answer {
    info!("warm shutdown asked for by remote control");
    shutdown.warm.cancel();
    None
}

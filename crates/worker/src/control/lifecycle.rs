//! Commands about the worker itself: its clock, its events, its end, and its dealings with other workers.

use protocol::{Map, Value};
use tracing::info;

use super::signature::type_error;
use super::{Answer, Panel, ok, text, texts};
use crate::engine::Engine;
use crate::heartbeat;

pub(super) fn clock(panel: &Panel, _: &Map) -> Answer {
    let value = panel.engine.client.clock().value();
    Ok(Map::from_iter([("clock", number(value))]).into())
}

/// Another worker introduces itself: takes over what it has revoked, and tells what was revoked here.
pub(super) fn hello(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    let from = text(arguments, "from_node").unwrap_or_default();
    if from == engine.settings.hostname {
        return Ok(Value::Null);
    }
    info!(from, "another worker says hello");
    merge(engine, arguments);
    let mut answer = Map::new();
    answer.insert("revoked", engine.revocations.fresh_ids());
    answer.insert("clock", number(engine.client.clock().forward()));
    Ok(answer.into())
}

/// Takes over the ids in `revoked`: a list, or a map as older versions send it.
pub(crate) fn merge(engine: &Engine, said: &Map) {
    let ids = match said.get("revoked") {
        Some(Value::Map(ids)) => ids.keys().map(str::to_owned).collect(),
        _ => texts(said, "revoked"),
    };
    if !ids.is_empty() {
        engine.revocations.add(ids.iter().map(String::as_str));
    }
}

pub(super) fn enable_events(panel: &Panel, _: &Map) -> Answer {
    Ok(switch_events(&panel.engine, true))
}

pub(super) fn disable_events(panel: &Panel, _: &Map) -> Answer {
    Ok(switch_events(&panel.engine, false))
}

fn switch_events(engine: &Engine, enabled: bool) -> Value {
    let already = if engine.events.enable(enabled) {
        ""
    } else {
        "already "
    };
    let word = if enabled { "enabled" } else { "disabled" };
    ok(format!("task events {already}{word}"))
}

pub(super) async fn heartbeat(panel: &Panel, _: &Map) -> Answer {
    heartbeat::send_now(&panel.engine).await;
    Ok(Value::Null)
}

/// Runs for an election in which all workers with gossip take part.
pub(super) async fn election(panel: &Panel, arguments: &Map) -> Answer {
    let (Some(id), Some(topic)) = (text(arguments, "id"), text(arguments, "topic")) else {
        return Err(type_error("id and topic must be texts"));
    };
    if let Some(gossip) = &panel.gossip {
        let action = arguments.get("action").cloned().unwrap_or_default();
        gossip.elect(id, topic, action).await;
    }
    Ok(Value::Null)
}

/// Stops warm; as in Celery without a reply.
pub(super) fn shutdown(panel: &Panel) {
    info!("warm shutdown asked for by remote control");
    panel.shutdown.warm.cancel();
}

fn number(clock: u64) -> i64 {
    i64::try_from(clock).unwrap_or(i64::MAX)
}

//! How tasks look in answers.

use std::sync::atomic::Ordering;

use protocol::{Map, TaskRequest, Value};

use crate::activity::Held;
use crate::engine::Engine;

/// A held task as Celery shows it.
pub(super) fn held_info(engine: &Engine, held: &Held) -> Value {
    let mut info = request_info(engine, &held.request);
    if let Some(time_start) = held.time_start.get() {
        info.insert("time_start", *time_start);
        info.insert("worker_pid", held.pid());
    }
    info.insert("acknowledged", held.acknowledged.load(Ordering::Relaxed));
    Value::Map(info)
}

/// A task that is not held.
pub(super) fn request_info(engine: &Engine, request: &TaskRequest) -> Map {
    let mut info = Map::new();
    info.insert("id", request.id.as_str());
    info.insert("name", request.display_name());
    info.insert("args", Value::List(request.args.clone()));
    info.insert("kwargs", request.kwargs.clone());
    info.insert("type", request.task.as_str());
    info.insert("hostname", engine.settings.hostname.as_str());
    info.insert("time_start", Value::Null);
    info.insert("acknowledged", false);
    info.insert("delivery_info", delivery_info(request));
    info.insert("worker_pid", Value::Null);
    info
}

fn delivery_info(request: &TaskRequest) -> Map {
    let mut info = Map::new();
    info.insert("exchange", request.exchange.as_str());
    info.insert("routing_key", request.routing_key.as_str());
    info.insert(
        "priority",
        request.priority.map(Value::Int).unwrap_or_default(),
    );
    info.insert("redelivered", request.redelivered);
    info
}

/// The same with arguments as texts for people.
pub(super) fn safe(info: Value, request: &TaskRequest) -> Value {
    match info {
        Value::Map(mut info) => {
            info.insert("args", request.args_repr());
            info.insert("kwargs", request.kwargs_repr());
            Value::Map(info)
        }
        other => other,
    }
}

//! Questions about tasks: those that are held here, those that wait on the broker, those that are registered.

use std::collections::HashSet;
use std::sync::Arc;

use protocol::{Map, Value, python_repr, timestamp_text};

use super::requests::{held_info, request_info, safe};
use super::{Answer, Panel, is_on, texts};
use crate::TaskOptions;
use crate::activity::Held;
use crate::engine::Engine;
use crate::waiting::{Waiting, waiting};

/// The priority that Celery's timer gives everything; shown, not used.
const TIMER_PRIORITY: i64 = 6;
/// Celery's `DEFAULT_TASK_INFO_ITEMS`.
const SHOWN: [&str; 3] = ["exchange", "routing_key", "rate_limit"];

pub(super) fn active(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    let active = held_where(engine, true);
    let infos = active.iter().map(|held| {
        let info = held_info(engine, held);
        if is_on(arguments, "safe") {
            safe(info, &held.request)
        } else {
            info
        }
    });
    Ok(infos.collect::<Vec<_>>().into())
}

pub(super) fn reserved(panel: &Panel, _: &Map) -> Answer {
    let reserved = held_where(&panel.engine, false);
    let infos = reserved.iter().map(|held| held_info(&panel.engine, held));
    Ok(infos.collect::<Vec<_>>().into())
}

fn held_where(engine: &Engine, active: bool) -> Vec<Arc<Held>> {
    let mut held = engine.activity.held();
    held.retain(|held| held.is_active() == active);
    held
}

/// What waits on the broker for the queues of this worker: the worker itself holds none of it.
pub(super) async fn scheduled(panel: &Panel, _: &Map) -> Answer {
    let waiting = waiting(&panel.engine).await;
    let show = |waiting: &Waiting| {
        let request = &waiting.request;
        let mut map = Map::new();
        map.insert("eta", timestamp_text(request.eta.unwrap_or(waiting.due)));
        map.insert("priority", TIMER_PRIORITY);
        map.insert("request", request_info(&panel.engine, request));
        Value::Map(map)
    };
    Ok(waiting.iter().map(show).collect::<Vec<_>>().into())
}

/// Where these tasks are, as far as this worker knows. Celery's fourth state, `ready`, is of requests that are none of the three; as
/// it forgets those first, no worker answers it.
pub(super) async fn query_task(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    let mut wanted: HashSet<String> = texts(arguments, "ids").into_iter().collect();
    let mut found = Map::new();
    for held in engine.activity.held() {
        if wanted.remove(&held.request.id) {
            let state = if held.is_active() {
                "active"
            } else {
                "reserved"
            };
            let entry = Value::List(vec![state.into(), held_info(engine, &held)]);
            found.insert(held.request.id.as_str(), entry);
        }
    }
    if wanted.is_empty() {
        return Ok(found.into());
    }
    for Waiting { request, .. } in waiting(engine).await {
        if wanted.remove(&request.id) {
            let info = Value::Map(request_info(engine, &request));
            found.insert(request.id, Value::List(vec!["scheduled".into(), info]));
        }
    }
    Ok(found.into())
}

/// The names of the tasks with the options that were asked for, as `name [option=value …]`.
pub(super) fn registered(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    let mut wanted = texts(arguments, "taskinfoitems");
    if wanted.is_empty() {
        wanted = SHOWN.map(str::to_owned).to_vec();
    }
    let builtins = is_on(arguments, "builtins");
    let names = engine.registry.names().into_iter();
    Ok(names
        .filter(|name| builtins || !name.starts_with("celery."))
        .map(|name| described(engine, name, &wanted))
        .collect::<Vec<_>>()
        .into())
}

fn described(engine: &Engine, name: &str, wanted: &[String]) -> String {
    let Some(options) = engine.registry.options(name) else {
        return name.to_owned();
    };
    let shown: Vec<String> = wanted
        .iter()
        .filter_map(|item| Some((item, attribute(engine, name, options, item)?)))
        .map(|(item, value)| format!("{item}={}", python_text(&value)))
        .collect();
    if shown.is_empty() {
        name.to_owned()
    } else {
        format!("{name} [{}]", shown.join(" "))
    }
}

/// An attribute of Celery's `Task`, as far as it has a value here.
fn attribute(engine: &Engine, name: &str, options: &TaskOptions, item: &str) -> Option<Value> {
    let settings = &engine.settings;
    let or = |option: Option<bool>, setting: bool| Some(Value::Bool(option.unwrap_or(setting)));
    match item {
        "name" => Some(name.into()),
        "rate_limit" => engine.limiter.rate(name).map(Value::Str),
        "queue" | "routing_key" => options.queue.clone().map(Value::Str),
        "priority" => options.priority.map(|priority| i64::from(priority).into()),
        "expires" => options.expires.map(Value::Float),
        "time_limit" => engine
            .limiter
            .time_limits(name, options)
            .hard
            .map(Value::Float),
        "soft_time_limit" => engine
            .limiter
            .time_limits(name, options)
            .soft
            .map(Value::Float),
        "max_retries" => options.retry.max_retries.map(|max| i64::from(max).into()),
        "default_retry_delay" => Some(i64::from(options.retry.default_retry_delay).into()),
        "acks_late" => or(options.acks_late, settings.task_acks_late),
        "acks_on_failure" => or(options.acks_on_failure, settings.task_acks_on_failure),
        "acks_on_timeout" => or(options.acks_on_timeout, settings.task_acks_on_timeout),
        "reject_on_worker_lost" => or(
            options.reject_on_worker_lost,
            settings.task_reject_on_worker_lost,
        ),
        "ignore_result" => or(options.ignore_result, settings.task_ignore_result),
        "track_started" => or(options.track_started, settings.task_track_started),
        "store_errors_even_if_ignored" => or(
            options.store_errors_even_if_ignored,
            settings.task_store_errors_even_if_ignored,
        ),
        "send_events" => Some(options.send_events.into()),
        _ => None,
    }
}

/// Python's `str`.
fn python_text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        other => python_repr(other),
    }
}

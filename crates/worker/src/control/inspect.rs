//! Questions about tasks and queues.

use broker::Deferred;
use jiff::Timestamp;
use protocol::{Map, Message, TaskRequest, Value, timestamp_text};
use tracing::warn;

use super::requests::{held_info, request_info};
use super::texts;
use crate::TaskOptions;
use crate::engine::Engine;

/// How many waiting messages are shown at most.
const SCHEDULED: usize = 1_000;
/// The priority that Celery's timer gives everything; shown, not used.
const TIMER_PRIORITY: i64 = 6;

pub(super) fn hello(engine: &Engine, arguments: &Map) -> Value {
    for id in texts(arguments, "revoked") {
        engine.revocations.add(&id);
    }
    if let Some(Value::Map(revoked)) = arguments.get("revoked") {
        revoked.keys().for_each(|id| engine.revocations.add(id));
    }
    let mut answer = Map::new();
    answer.insert("revoked", engine.revocations.all());
    answer.insert("clock", clock_number(engine));
    Value::Map(answer)
}

pub(super) fn clock(engine: &Engine) -> Value {
    Value::Map(Map::from_iter([("clock", clock_number(engine))]))
}

fn clock_number(engine: &Engine) -> i64 {
    i64::try_from(engine.client.clock().forward()).unwrap_or(i64::MAX)
}

pub(super) fn active(engine: &Engine) -> Value {
    held_where(engine, true)
}

pub(super) fn reserved(engine: &Engine) -> Value {
    held_where(engine, false)
}

fn held_where(engine: &Engine, active: bool) -> Value {
    let held = engine.activity.held();
    Value::List(
        held.iter()
            .filter(|held| held.is_active() == active)
            .map(|held| held_info(engine, held))
            .collect(),
    )
}

/// What waits on the broker for the queues of this worker: the worker itself holds none of it.
pub(super) async fn scheduled(engine: &Engine) -> Value {
    let waiting = deferred(engine).await;
    let show = |(due, request): &(Timestamp, TaskRequest)| {
        let mut map = Map::new();
        map.insert("eta", timestamp_text(*due));
        map.insert("priority", TIMER_PRIORITY);
        map.insert("request", request_info(engine, request));
        Value::Map(map)
    };
    Value::List(waiting.iter().map(show).collect())
}

async fn deferred(engine: &Engine) -> Vec<(Timestamp, TaskRequest)> {
    let deferred = engine
        .client
        .backends()
        .admin
        .deferred(SCHEDULED)
        .await
        .unwrap_or_else(|error| {
            warn!(%error, "cannot ask what is scheduled");
            Vec::new()
        });
    let mine = |deferred: &Deferred| engine.settings.queues.contains(&deferred.queue);
    let read = |deferred: Deferred| {
        let settings = &engine.settings;
        let message = Message::from_envelope(&deferred.raw, &settings.limits).ok()?;
        let request =
            TaskRequest::from_message(&message, &settings.accept_content, &settings.limits).ok()?;
        Some((deferred.due, request))
    };
    deferred.into_iter().filter(mine).filter_map(read).collect()
}

pub(super) async fn query_task(engine: &Engine, arguments: &Map) -> Value {
    let ids = texts(arguments, "ids");
    let mut found = Map::new();
    for id in &ids {
        for held in engine.activity.find(id) {
            let state = if held.is_active() {
                "active"
            } else {
                "reserved"
            };
            found.insert(
                id.as_str(),
                Value::List(vec![state.into(), held_info(engine, &held)]),
            );
        }
    }
    if ids.iter().any(|id| !found.contains_key(id)) {
        for (_, request) in deferred(engine).await {
            if ids.contains(&request.id) && !found.contains_key(&request.id) {
                let info = Value::Map(request_info(engine, &request));
                found.insert(request.id, Value::List(vec!["scheduled".into(), info]));
            }
        }
    }
    Value::Map(found)
}

/// The names of the tasks with the options that were asked for, as `name [option=value …]`.
pub(super) fn registered(engine: &Engine, arguments: &Map) -> Value {
    let builtins = arguments
        .get("builtins")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let mut wanted = texts(arguments, "taskinfoitems");
    if wanted.is_empty() {
        wanted.push("rate_limit".to_owned());
    }
    let names = engine
        .registry
        .names()
        .into_iter()
        .filter(|name| builtins || !name.starts_with("celery."));
    Value::List(
        names
            .map(|name| Value::Str(described(name, engine.registry.options(name), &wanted)))
            .collect(),
    )
}

fn described(name: &str, options: Option<&TaskOptions>, wanted: &[String]) -> String {
    let shown: Vec<String> = wanted
        .iter()
        .filter_map(|option| Some(format!("{option}={}", option_text(options?, option)?)))
        .collect();
    if shown.is_empty() {
        name.to_owned()
    } else {
        format!("{name} [{}]", shown.join(" "))
    }
}

fn option_text(options: &TaskOptions, name: &str) -> Option<String> {
    match name {
        "rate_limit" => options.rate_limit.clone(),
        "routing_key" | "queue" => options.queue.clone(),
        "time_limit" => options.time_limit.map(|limit| limit.to_string()),
        "soft_time_limit" => options.soft_time_limit.map(|limit| limit.to_string()),
        "max_retries" => Some(
            options
                .retry
                .max_retries
                .map_or_else(|| "None".to_owned(), |max| max.to_string()),
        ),
        _ => None,
    }
}

pub(super) fn active_queues(engine: &Engine) -> Value {
    Value::List(
        engine
            .settings
            .queues
            .iter()
            .map(|name| Value::Map(queue(name)))
            .collect(),
    )
}

/// A queue as kombu describes it.
fn queue(name: &str) -> Map {
    const EXCHANGE_NULLS: [&str; 2] = ["arguments", "delivery_mode"];
    const NULLS: [&str; 10] = [
        "queue_arguments",
        "binding_arguments",
        "consumer_arguments",
        "alias",
        "no_declare",
        "expires",
        "message_ttl",
        "max_length",
        "max_length_bytes",
        "max_priority",
    ];
    let mut exchange = Map::from_iter([("name", Value::from(name)), ("type", "direct".into())]);
    exchange.extend([
        ("durable", Value::Bool(true)),
        ("passive", false.into()),
        ("auto_delete", false.into()),
        ("no_declare", false.into()),
    ]);
    exchange.extend(EXCHANGE_NULLS.map(|field| (field, Value::Null)));
    let mut queue = Map::from_iter([
        ("name", Value::from(name)),
        ("exchange", exchange.into()),
        ("routing_key", name.into()),
    ]);
    queue.extend([
        ("durable", Value::Bool(true)),
        ("exclusive", false.into()),
        ("auto_delete", false.into()),
        ("no_ack", false.into()),
    ]);
    queue.insert("bindings", Value::List(Vec::new()));
    queue.extend(NULLS.map(|field| (field, Value::Null)));
    queue
}

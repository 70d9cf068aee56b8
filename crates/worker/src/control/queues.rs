//! Commands about the queues that this worker consumes.

use broker::{Binding, ExchangeKind};
use protocol::{Map, Value};
use tracing::info;

use super::signature::type_error;
use super::{Answer, Panel, key_error, ok, text};
use crate::Failure;
use crate::queues::Queue;

pub(super) fn active_queues(panel: &Panel, _: &Map) -> Answer {
    let queues = panel.engine.queues.all();
    Ok(queues
        .iter()
        .map(|queue| Value::Map(described(queue)))
        .collect::<Vec<_>>()
        .into())
}

pub(super) async fn add_consumer(panel: &Panel, arguments: &Map) -> Answer {
    let name = queue_name(arguments)?;
    let or_name = |field| text(arguments, field).unwrap_or(name).to_owned();
    let queue = Queue {
        name: name.to_owned(),
        exchange: or_name("exchange"),
        exchange_type: text(arguments, "exchange_type")
            .unwrap_or("direct")
            .to_owned(),
        routing_key: or_name("routing_key"),
    };
    if !panel.engine.queues.contains(name) {
        bind(panel, &queue).await?;
    }
    if panel.engine.queues.add(queue) {
        consume(panel).await?;
        info!(queue = name, "started consuming");
    }
    Ok(ok(format!("add consumer {name}")))
}

pub(super) async fn cancel_consumer(panel: &Panel, arguments: &Map) -> Answer {
    let name = queue_name(arguments)?;
    if panel.engine.queues.remove(name) {
        consume(panel).await?;
        info!(queue = name, "stopped consuming");
    }
    Ok(ok(format!("no longer consuming from {name}")))
}

/// Has the exchange hand on to the queue, where that is not its own.
async fn bind(panel: &Panel, queue: &Queue) -> Result<(), Failure> {
    let Some(kind) = ExchangeKind::from_name(&queue.exchange_type) else {
        return Err(key_error(&queue.exchange_type));
    };
    let is_own = queue.exchange == queue.name && queue.routing_key == queue.name;
    if is_own && kind == ExchangeKind::Direct {
        return Ok(());
    }
    let binding = Binding {
        queue: queue.name.clone(),
        exchange: queue.exchange.clone(),
        routing_key: queue.routing_key.clone(),
    };
    let broker = &panel.engine.client.backends().broker;
    let bound = broker.bind(binding, kind).await;
    bound.map_err(|error| Failure::from_error(&error))
}

async fn consume(panel: &Panel) -> Result<(), Failure> {
    let names = panel.engine.queues.names();
    let set = panel.consumer.set_queues(names).await;
    set.map_err(|error| Failure::from_error(&error))
}

fn queue_name(arguments: &Map) -> Result<&str, Failure> {
    text(arguments, "queue")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| type_error("queue must be the name of a queue"))
}

/// A queue as kombu describes it.
fn described(queue: &Queue) -> Map {
    const NULLS: [&str; 3] = ["queue_arguments", "binding_arguments", "consumer_arguments"];
    const BOUNDS: [&str; 6] = [
        "no_declare",
        "expires",
        "message_ttl",
        "max_length",
        "max_length_bytes",
        "max_priority",
    ];
    let mut map = Map::from_iter([("name", queue.name.as_str())]);
    map.insert("exchange", exchange(queue));
    map.insert("routing_key", queue.routing_key.as_str());
    map.extend(NULLS.map(|field| (field, Value::Null)));
    map.insert("durable", true);
    map.extend(["exclusive", "auto_delete", "no_ack"].map(|field| (field, Value::Bool(false))));
    map.insert("alias", Value::Null);
    map.insert("bindings", Value::List(Vec::new()));
    map.extend(BOUNDS.map(|field| (field, Value::Null)));
    map
}

fn exchange(queue: &Queue) -> Map {
    let mut map = Map::from_iter([
        ("name", queue.exchange.as_str()),
        ("type", queue.exchange_type.as_str()),
    ]);
    map.insert("arguments", Value::Null);
    map.insert("durable", true);
    map.extend(["passive", "auto_delete"].map(|field| (field, Value::Bool(false))));
    map.insert("delivery_mode", Value::Null);
    map.insert("no_declare", false);
    map
}

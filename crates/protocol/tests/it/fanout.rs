//! Channels of broadcasts as recorded.

use protocol::redis::{channel_exchange, fanout_channel, fanout_pattern, fanout_prefix};
use protocol::{Message, Value};

use crate::vectors::{Counts, bytes, cases, limits, list, text};

#[test]
fn every_broadcast_goes_to_the_recorded_channel() {
    let mut counts = Counts::default();
    for case in &cases("producer_redis") {
        // A prefix of all keys is the broker's setting; the names here are without it.
        if text(case, "kind") == "global_keyprefix" {
            continue;
        }
        for recorded in list(case, "published") {
            check(recorded, case);
            counts.add(case, 1);
        }
    }
    counts.print("producer_redis", "broadcast channels");
}

fn check(recorded: &Value, case: &Value) {
    let raw = bytes(recorded.get("raw").unwrap());
    let message = Message::from_envelope(&raw, &limits()).unwrap();
    let info = message.properties.delivery_info.unwrap();
    let option = |name: &str| {
        case.get("config")?
            .get("broker_transport_options")?
            .get(name)
            .cloned()
    };
    let broker = case
        .get("config")
        .and_then(|config| config.get("broker"))
        .and_then(Value::as_str);
    let db = broker
        .and_then(|url| url.rsplit('/').next())
        .map_or(0, |db| db.parse().unwrap());
    let prefix = match option("fanout_prefix") {
        Some(Value::Bool(false)) => String::new(),
        Some(Value::Str(prefix)) => prefix,
        _ => fanout_prefix(db),
    };
    let routing_key = match option("fanout_patterns") {
        Some(Value::Bool(false)) => "",
        _ => info.routing_key.as_str(),
    };
    let channel = fanout_channel(&prefix, &info.exchange, routing_key);
    assert_eq!(channel, text(recorded, "channel"), "{}", text(case, "id"));
    assert_eq!(channel_exchange(&channel), info.exchange);
}

#[test]
fn a_listener_subscribes_with_stars() {
    assert_eq!(
        fanout_pattern("/0.", "celeryev", "worker.#"),
        "/0.celeryev/worker.*"
    );
    assert_eq!(
        fanout_pattern("/0.", "celery.pidbox", ""),
        "/0.celery.pidbox"
    );
}

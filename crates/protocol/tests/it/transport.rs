//! What kombu leaves in Redis while it delivers, restores and rejects.

use protocol::redis::{Binding, PRIORITY_STEPS, UNACKED, destinations, key_queue, queue_keys};
use protocol::{Message, Value};

use crate::vectors::{Counts, accept_all, assert_same, cases, entries, json, limits, list, text};

#[test]
fn every_stored_message_reads_and_writes_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("transport_redis") {
        let mut total = 0;
        for section in ["keys_before", "keys_during_first", "keys_after"] {
            for (key, dump) in entries(case, section) {
                total += match text(dump, "type") {
                    "list" => queue(key, dump, case),
                    "hash" if key == UNACKED => unacked(dump, case),
                    _ => 0,
                };
            }
        }
        counts.add(case, total);
    }
    counts.print("transport_redis", "stored messages");
}

fn queue(key: &str, dump: &Value, case: &Value) -> usize {
    let call = case.get("call").unwrap().get("kwargs").unwrap();
    let queue = text(call, "queue");
    assert_eq!(key_queue(key), queue);
    assert!(
        queue_keys(queue, &PRIORITY_STEPS)
            .iter()
            .any(|name| name == key)
    );
    let stored = list(dump, "value");
    for raw in stored {
        let message = replay(raw.as_str().unwrap(), case);
        let (exchange, routing_key) = (text(call, "exchange"), text(call, "routing_key"));
        let binding = match text(call, "type") {
            "topic" => Binding::topic(routing_key, queue),
            _ => Binding::direct(routing_key, queue),
        };
        let member = binding.to_string();
        assert!(is_bound(case, exchange, &member), "{}", text(case, "id"));
        assert_eq!(
            destinations(exchange, routing_key, [member.as_str()]),
            [queue]
        );
        assert_eq!(message.properties.delivery_info.unwrap().exchange, exchange);
    }
    stored.len()
}

fn is_bound(case: &Value, exchange: &str, member: &str) -> bool {
    let table = protocol::redis::binding_table(exchange);
    let before = entries(case, "keys_before");
    let dump = before
        .iter()
        .find(|(key, _)| **key == table)
        .map(|(_, dump)| *dump);
    dump.is_some_and(|dump| {
        list(dump, "value")
            .iter()
            .any(|value| value.as_str() == Some(member))
    })
}

/// Entries of the unacked hash: `[envelope, exchange, routing key]`.
fn unacked(dump: &Value, case: &Value) -> usize {
    let held = entries(dump, "value");
    for (tag, entry) in &held {
        let entry = json(entry.as_str().unwrap().as_bytes());
        let envelope = protocol::Codec::Json
            .encode(&entry.as_list().unwrap()[0])
            .unwrap();
        let message = replay(std::str::from_utf8(&envelope).unwrap(), case);
        assert_eq!(message.properties.delivery_tag.as_deref(), Some(*tag));
    }
    held.len()
}

fn replay(raw: &str, case: &Value) -> Message {
    let message = Message::from_envelope(raw.as_bytes(), &limits()).unwrap();
    assert_eq!(
        String::from_utf8(message.to_envelope().unwrap()).unwrap(),
        raw,
        "{}",
        text(case, "id")
    );
    let body = message.decode_body(&accept_all(), &limits()).unwrap();
    let priorities = case.get("call").unwrap().get("kwargs").unwrap();
    let index = usize::try_from(body.get("n").and_then(Value::as_i64).unwrap()).unwrap();
    let priority = &list(priorities, "priorities")[index];
    assert_same(&Value::from(message.properties.priority), priority, case);
    message
}

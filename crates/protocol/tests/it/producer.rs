//! What a Python client writes to Redis.

use protocol::redis::{
    Binding, binding_table, key_queue_with, permanent_binding_table, priority_step, queue_key_with,
};
use protocol::{Message, TaskRequest, Value};

use crate::tasks;
use crate::vectors::{Counts, accept_all, bytes, cases, entries, limits, list, same, text, untag};

/// Nothing is written when nobody has declared the fanout exchange.
const WITHOUT_MESSAGE: &str = "route_fanout_undeclared";

#[test]
fn every_message_reads_and_writes_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("producer_redis") {
        let sections = ["messages", "published", "pushed"];
        let recorded: Vec<_> = sections
            .iter()
            .flat_map(|section| list(case, section))
            .collect();
        for message in &recorded {
            if tasks::replay(message, case) {
                tasks::retry(message, case);
            }
        }
        match text(case, "kind") {
            WITHOUT_MESSAGE => assert!(recorded.is_empty()),
            _ => counts.add(case, recorded.len()),
        }
    }
    counts.print("producer_redis", "messages");
}

/// Kinds whose `call.kwargs` say the arguments of the one task that is sent.
const WITH_ARGUMENTS: [&str; 7] = [
    "plain",
    "unicode_args",
    "extended_types",
    "send_task",
    "proto1",
    "serializer_json",
    "serializer_msgpack",
];

#[test]
fn arguments_are_the_ones_of_the_call() {
    let mut counts = Counts::default();
    for case in &cases("producer_redis") {
        let call = case.get("call").unwrap().get("kwargs").unwrap();
        let kind = text(case, "kind");
        let Some(args) = call.get("args").filter(|_| WITH_ARGUMENTS.contains(&kind)) else {
            continue;
        };
        let args = untag(args);
        // A group or chain of protocol 1 sends several; one of them is the call.
        let sent = list(case, "messages").iter().any(|recorded| {
            let raw = bytes(recorded.get("raw").unwrap());
            let message = Message::from_envelope(&raw, &limits()).unwrap();
            let request = TaskRequest::from_message(&message, &accept_all(), &limits()).unwrap();
            same(&Value::List(request.args), &args)
        });
        assert!(sent, "{}", text(case, "id"));
        counts.add(case, 1);
    }
    counts.print("producer_redis", "argument lists");
}

#[test]
fn keys_and_bindings_have_kombus_names() {
    let mut counts = Counts::default();
    for case in &cases("producer_redis") {
        // A prefix is the broker's setting; the names here are without it.
        if text(case, "kind") == "global_keyprefix" {
            continue;
        }
        for message in list(case, "messages") {
            let raw = bytes(message.get("raw").unwrap());
            let read = Message::from_envelope(&raw, &limits()).unwrap();
            let steps = steps(case);
            let key = text(message, "key");
            let queue = key_queue_with(sep(case), key);
            let step = priority_step(read.properties.priority.unwrap(), &steps);
            assert_eq!(
                queue_key_with(sep(case), queue, step),
                key,
                "{}",
                text(case, "id")
            );
            assert!(reaches(case, &read, queue), "{}: {queue}", text(case, "id"));
            counts.add(case, 1);
        }
    }
    counts.print("producer_redis", "queue keys");
}

/// True when the recorded binding tables send the message to `queue`.
fn reaches(case: &Value, message: &Message, queue: &str) -> bool {
    let info = message.properties.delivery_info.clone().unwrap();
    let table = binding_table(&info.exchange);
    let keys = entries(case, "keys");
    let members = keys
        .iter()
        .find(|(key, _)| **key == table)
        .map(|(_, dump)| list(dump, "value"));
    let members = members.unwrap_or_default().iter().filter_map(Value::as_str);
    let queues = protocol::redis::destinations(&info.exchange, &info.routing_key, members);
    queues.iter().any(|name| name == queue) || queues.is_empty()
}

fn option<'a>(case: &'a Value, name: &str) -> Option<&'a Value> {
    case.get("config")?
        .get("broker_transport_options")?
        .get(name)
}

fn sep(case: &Value) -> &str {
    option(case, "sep")
        .and_then(Value::as_str)
        .unwrap_or(protocol::redis::SEP)
}

fn steps(case: &Value) -> Vec<u8> {
    match option(case, "priority_steps").and_then(Value::as_list) {
        Some(steps) => steps
            .iter()
            .map(|step| u8::try_from(step.as_i64().unwrap()).unwrap())
            .collect(),
        None => protocol::redis::PRIORITY_STEPS.to_vec(),
    }
}

#[test]
fn binding_members_read_and_write_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("producer_redis") {
        for (key, dump) in entries(case, "keys") {
            let Some(exchange) = key.strip_prefix("_kombu.binding.") else {
                continue;
            };
            assert_eq!(&binding_table(exchange), key);
            assert!(permanent_binding_table(exchange).ends_with(exchange));
            for member in list(dump, "value").iter().filter_map(Value::as_str) {
                let binding = Binding::parse_with(sep(case), member).unwrap();
                assert_eq!(binding.member_with(sep(case)), member);
                if !binding.pattern.is_empty() {
                    assert_eq!(
                        Binding::topic(&binding.routing_key, &binding.queue),
                        binding
                    );
                }
                counts.add(case, 1);
            }
        }
    }
    counts.print("producer_redis", "binding members");
}

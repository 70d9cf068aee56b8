//! Events and follow-up messages of workers, and what a booting worker publishes.

use protocol::event::{Heartbeat, Software, Stamp, TaskReceived, TaskSent};
use protocol::{Event, Message, Signature, Value};

use crate::tasks;
use crate::vectors::{Counts, accept_all, assert_same, bytes, cases, json, limits, list, text};

#[test]
fn every_event_reads_and_writes_as_recorded() {
    for file in ["worker_redis", "lifecycle_redis", "producer_redis"] {
        let mut counts = Counts::default();
        for case in &cases(file) {
            for section in ["events", "published"] {
                for recorded in list(case, section) {
                    if text(recorded, "channel").contains("celeryev") {
                        counts.add(case, replay(recorded, case));
                    }
                }
            }
        }
        counts.print(file, "events");
    }
}

fn replay(recorded: &Value, case: &Value) -> usize {
    let raw = bytes(recorded.get("raw").unwrap());
    let message = Message::from_envelope(&raw, &limits()).unwrap();
    let events = Event::from_message(&message, &accept_all(), &limits()).unwrap();
    let tag = message.properties.delivery_tag.clone().unwrap();
    let body = recorded.get("decoded").unwrap().get("body").unwrap();
    let written = match body {
        Value::List(_) => Event::batch_to_message(&events, protocol::Codec::Json, &tag)
            .unwrap()
            .unwrap(),
        _ => events[0].to_message(protocol::Codec::Json, &tag).unwrap(),
    };
    assert_same(&json(&written.to_envelope().unwrap()), &json(&raw), case);
    assert_eq!(
        written.body,
        message.body,
        "{}: bytes of the body",
        text(case, "id")
    );
    for event in &events {
        assert_same(
            &Value::Map(built(event).to_map()),
            &Value::Map(event.to_map()),
            case,
        );
    }
    events.len()
}

/// The same event made by the constructor of its type.
fn built(event: &Event) -> Event {
    let stamp = Stamp {
        hostname: &event.hostname,
        pid: u32::try_from(event.pid.unwrap()).unwrap(),
        utcoffset: event.utcoffset.unwrap(),
        clock: u64::try_from(event.clock.unwrap()).unwrap(),
        timestamp: event.timestamp,
    };
    let text = |name: &str| event.text(name).unwrap_or_default().to_owned();
    let optional = |name: &str| event.text(name).map(str::to_owned);
    let flag = |name: &str| event.fields.get(name).and_then(Value::as_bool).unwrap();
    let uuid = text("uuid");
    match event.kind.as_str() {
        "task-sent" if event.fields.contains_key("root_id") => Event::task_sent(stamp, sent(event)),
        // For protocol 1 Python leaves args and kwargs null; we say them.
        "task-received" if event.text("args").is_some() => {
            Event::task_received(stamp, received(event))
        }
        "task-started" => Event::task_started(stamp, &uuid),
        "task-succeeded" => {
            let runtime = event.fields.get("runtime").and_then(Value::as_f64);
            Event::task_succeeded(stamp, &uuid, &text("result"), runtime)
        }
        "task-failed" => Event::task_failed(
            stamp,
            &uuid,
            &text("exception"),
            optional("traceback").as_deref(),
        ),
        "task-retried" => Event::task_retried(
            stamp,
            &uuid,
            &text("exception"),
            optional("traceback").as_deref(),
        ),
        "task-revoked" => {
            let signum = event.fields.get("signum").cloned().unwrap();
            Event::task_revoked(stamp, &uuid, flag("terminated"), signum, flag("expired"))
        }
        "task-rejected" => Event::task_rejected(stamp, &uuid, flag("requeue")),
        "worker-elect" => {
            let action =
                Signature::from_value(event.fields.get("action").cloned().unwrap()).unwrap();
            Event::worker_elect(stamp, &text("id"), &text("topic"), action)
        }
        "worker-elect-ack" => Event::worker_elect_ack(stamp, &text("id")),
        "worker-online" if event.fields.contains_key("loadavg") => {
            Event::worker_online(stamp, &beat(event))
        }
        "worker-heartbeat" => Event::worker_heartbeat(stamp, &beat(event)),
        "worker-offline" => Event::worker_offline(stamp, &beat(event)),
        kind if kind.starts_with("task-demo") => {
            let mut fields = event.fields.clone();
            fields.remove("uuid");
            Event::task_custom(stamp, kind, &uuid, fields)
        }
        kind => Event::new(stamp, kind, event.fields.clone()),
    }
}

fn received(event: &Event) -> TaskReceived {
    let optional = |name: &str| event.text(name).map(str::to_owned);
    TaskReceived {
        uuid: optional("uuid").unwrap(),
        name: optional("name").unwrap(),
        args: optional("args").unwrap(),
        kwargs: optional("kwargs").unwrap(),
        root_id: optional("root_id"),
        parent_id: optional("parent_id"),
        retries: u32::try_from(event.fields.get("retries").and_then(Value::as_i64).unwrap())
            .unwrap(),
        eta: optional("eta"),
        expires: optional("expires"),
    }
}

fn sent(event: &Event) -> TaskSent {
    TaskSent {
        task: received(event),
        queue: event.text("queue").map(str::to_owned),
        exchange: event.text("exchange").unwrap().to_owned(),
        routing_key: event.text("routing_key").unwrap().to_owned(),
    }
}

fn beat(event: &Event) -> Heartbeat {
    let number = |name: &str| event.fields.get(name).and_then(Value::as_i64).unwrap();
    let load = event
        .fields
        .get("loadavg")
        .and_then(Value::as_list)
        .unwrap();
    let load: Vec<f64> = load.iter().map(|value| value.as_f64().unwrap()).collect();
    let text = |name: &str| event.text(name).unwrap().to_owned();
    Heartbeat {
        freq: event.fields.get("freq").and_then(Value::as_f64).unwrap(),
        active: number("active"),
        processed: number("processed"),
        loadavg: load.try_into().unwrap(),
        software: Software {
            ident: text("sw_ident"),
            version: text("sw_ver"),
            system: text("sw_sys"),
        },
    }
}

#[test]
fn every_pushed_message_of_workers_reads_and_writes_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("worker_redis") {
        let pushed = list(case, "pushed");
        for message in pushed {
            // With the rpc:// backend results are messages too.
            if tasks::replay(message, case) {
                tasks::retry(message, case);
            }
        }
        counts.add(case, pushed.len());
    }
    counts.print("worker_redis", "messages");
}

//! Remote control as recorded: requests, replies, and the control traffic of booting workers.

use protocol::control::{EXCHANGE, REPLY_EXCHANGE, Reply, Request, reply_queue};
use protocol::{Codec, Message, Value};

use crate::vectors::{Counts, accept_all, assert_same, bytes, cases, json, limits, list, text};

#[test]
fn every_request_and_reply_reads_and_writes_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("control_redis") {
        for recorded in list(case, "request") {
            request(recorded, case);
        }
        for recorded in list(case, "replies") {
            reply(recorded, case);
        }
        let total = list(case, "request").len() + list(case, "replies").len();
        counts.add(case, total);
    }
    counts.print("control_redis", "requests and replies");
}

#[test]
fn control_traffic_of_booting_workers_reads_and_writes_as_recorded() {
    let mut total = 0;
    for case in &cases("lifecycle_redis") {
        for recorded in list(case, "published") {
            if text(recorded, "channel").ends_with(EXCHANGE) {
                request(recorded, case);
                total += 1;
            }
        }
        for recorded in list(case, "pushed") {
            if text(recorded, "key").ends_with(REPLY_EXCHANGE) {
                reply(recorded, case);
            } else {
                crate::tasks::replay(recorded, case);
            }
            total += 1;
        }
    }
    println!("lifecycle_redis: {total} requests, replies and messages replayed");
    assert!(total > 0);
}

fn read(recorded: &Value) -> (Vec<u8>, Message, String) {
    let raw = bytes(recorded.get("raw").unwrap());
    let message = Message::from_envelope(&raw, &limits()).unwrap();
    let tag = message.properties.delivery_tag.clone().unwrap();
    (raw, message, tag)
}

fn request(recorded: &Value, case: &Value) {
    let (raw, message, tag) = read(recorded);
    let request = Request::from_message(&message, &accept_all(), &limits()).unwrap();
    let written = request.to_message(Codec::Json, &tag).unwrap();
    assert_same(&json(&written.to_envelope().unwrap()), &json(&raw), case);
    let body = recorded.get("decoded").unwrap().get("body").unwrap();
    assert_eq!(request.method, text(body, "method"));
    for reply in list(case, "replies") {
        let node = reply
            .get("decoded")
            .unwrap()
            .get("body")
            .unwrap()
            .as_map()
            .unwrap();
        assert!(
            node.keys().all(|name| request.is_for(name)),
            "{}",
            text(case, "id")
        );
    }
}

fn reply(recorded: &Value, case: &Value) {
    let (raw, message, tag) = read(recorded);
    let reply = Reply::from_message(&message, &accept_all(), &limits()).unwrap();
    let routing_key = message
        .properties
        .delivery_info
        .clone()
        .unwrap()
        .routing_key;
    assert_eq!(reply_queue(&routing_key), text(recorded, "key"));
    let written = reply.to_message(&routing_key, Codec::Json, &tag).unwrap();
    assert_same(&json(&written.to_envelope().unwrap()), &json(&raw), case);
    let body = recorded.get("decoded").unwrap().get("body").unwrap();
    assert_same(body.get(&reply.node).unwrap(), &reply.value, case);
}

#[test]
fn a_request_without_a_map_is_refused() {
    for body in ["null", "[]", "{}", "{\"method\": 3}"] {
        let message = Message {
            content_type: "application/json".to_owned(),
            body: body.as_bytes().to_vec().into(),
            ..Message::default()
        };
        let error = Request::from_message(&message, &accept_all(), &limits()).unwrap_err();
        assert!(error.path().starts_with("body"), "{error}");
    }
}

#[test]
fn a_request_reaches_the_nodes_it_names() {
    let mut request = Request::new("ping", protocol::Map::new());
    assert!(request.is_for("w1@h"));
    request.destination = Some(Vec::new());
    assert!(request.is_for("w1@h"));
    request.destination = Some(vec!["w2@h".to_owned()]);
    request.pattern = Some("*".to_owned());
    request.matcher = Some("glob".to_owned());
    assert!(request.is_for("w2@h") && !request.is_for("w1@h"));
}

//! Python workers on the same server: what kombu left is put back as kombu would, and what we hold is where kombu looks.
//! The states are those that were recorded from kombu.

use std::path::Path;
use std::time::Duration;

use broker::{Broker, ConsumerParams, Notice};
use serde_json::Value;
use testkit::RedisServer;

use crate::raw;
use crate::support::{eventually, notice, open, params, take};

fn cases() -> Vec<Value> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/fixtures");
    let file = testkit::load_json("CELERIAC_VECTORS", &fixtures, "transport_redis");
    file["cases"].as_array().unwrap().clone()
}

/// Writes a recorded state. What is held counts as held since long ago.
async fn load(server: &RedisServer, state: &Value) {
    for (key, entry) in state.as_object().unwrap() {
        let value = &entry["value"];
        match entry["type"].as_str().unwrap() {
            "list" => {
                for item in value.as_array().unwrap() {
                    raw::call::<i64>(server, &[b"RPUSH", key.as_bytes(), text(item)]).await;
                }
            }
            "set" => {
                for item in value.as_array().unwrap() {
                    raw::call::<i64>(server, &[b"SADD", key.as_bytes(), text(item)]).await;
                }
            }
            "hash" => {
                for (field, item) in value.as_object().unwrap() {
                    raw::call::<i64>(
                        server,
                        &[b"HSET", key.as_bytes(), field.as_bytes(), text(item)],
                    )
                    .await;
                }
            }
            "zset" => {
                for (at, item) in value.as_array().unwrap().iter().enumerate() {
                    raw::call::<i64>(
                        server,
                        &[
                            b"ZADD",
                            key.as_bytes(),
                            at.to_string().as_bytes(),
                            text(&item[0]),
                        ],
                    )
                    .await;
                }
            }
            other => panic!("{key} is a {other}"),
        }
    }
}

fn text(value: &Value) -> &[u8] {
    value.as_str().unwrap().as_bytes()
}

/// A recorded list as JSON values, with the redelivered marks that a restore adds to these tags.
fn marked(list: &Value, restored: &[String]) -> Vec<Value> {
    let mark = |item: &Value| {
        let mut message: Value = serde_json::from_str(item.as_str().unwrap()).unwrap();
        let tag = message["properties"]["delivery_tag"]
            .as_str()
            .unwrap()
            .to_owned();
        if restored.contains(&tag) {
            message["headers"]["redelivered"] = true.into();
            message["properties"]["delivery_info"]["redelivered"] = true.into();
        }
        message
    };
    list.as_array().unwrap().iter().map(mark).collect()
}

async fn stored(server: &RedisServer, key: &str) -> Vec<Value> {
    let list: Vec<String> = raw::call(server, &[b"LRANGE", key.as_bytes(), b"0", b"-1"]).await;
    list.iter()
        .map(|item| serde_json::from_str(item).unwrap())
        .collect()
}

fn lists(state: &Value) -> impl Iterator<Item = (&String, &Value)> {
    state
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, entry)| entry["type"] == "list")
        .map(|(key, entry)| (key, &entry["value"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_abandoned_is_put_back_as_python_would() {
    let mut replayed = 0;
    for case in cases() {
        let held = &case["keys_during_first"];
        let Some(unacked) = held.get("unacked") else {
            continue;
        };
        let restored: Vec<String> = unacked["value"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let server = RedisServer::start();
        load(&server, held).await;
        let broker = open(&server).await;
        let (params, mut notices) = params(&["another"]);
        let _sweeper = broker
            .consumer(ConsumerParams {
                visibility_timeout: Duration::from_secs(1),
                ..params
            })
            .await
            .unwrap();
        let reclaimed = notice(&mut notices, |notice| match notice {
            Notice::Reclaimed { from, messages } if from == "visibility_timeout" => Some(*messages),
            _ => None,
        });
        assert_eq!(reclaimed.await, restored.len(), "{}", case["id"]);
        for (key, list) in lists(&case["keys_before"]) {
            assert_eq!(
                stored(&server, key).await,
                marked(list, &restored),
                "{} {key}",
                case["id"]
            );
        }
        assert_eq!(
            server.cli(&["EXISTS", "unacked", "unacked_index", "unacked_mutex"]),
            "0"
        );
        replayed += 1;
    }
    println!("{replayed} recorded holds of Python put back");
    assert!(replayed >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_hold_can_be_put_back_by_python() {
    let mut replayed = 0;
    for case in cases() {
        let server = RedisServer::start();
        load(&server, &case["keys_before"]).await;
        let broker = open(&server).await;
        let queue = case["call"]["kwargs"]["queue"].as_str().unwrap();
        let consumer = broker.consumer(params(&[queue]).0).await.unwrap();
        let count = lists(&case["keys_before"])
            .map(|(_, list)| list.as_array().unwrap().len())
            .sum();
        take(&*consumer, count).await;
        kombu_restores_everything(&server).await;
        for (key, list) in lists(&case["keys_before"]) {
            assert_eq!(
                stored(&server, key).await,
                marked(list, &[]),
                "{} {key}",
                case["id"]
            );
        }
        replayed += 1;
    }
    println!("{replayed} recorded queues held by us and put back by kombu's rules");
    assert!(replayed >= 14);
}

/// kombu's restore of every held tag, newest first: the default exchange means the queue of that name, the step is the envelope's.
async fn kombu_restores_everything(server: &RedisServer) {
    let tags: Vec<String> = raw::call(
        server,
        &[
            b"ZRANGE",
            b"unacked_index",
            b"+inf",
            b"0",
            b"BYSCORE",
            b"REV",
        ],
    )
    .await;
    for tag in tags {
        let record: String = raw::call(server, &[b"HGET", b"unacked", tag.as_bytes()]).await;
        let (message, exchange, queue): (Value, String, String) =
            serde_json::from_str(&record).unwrap();
        assert_eq!(exchange, "");
        let step = message["properties"]["priority"].as_i64().unwrap() / 3 * 3;
        let list = if step == 0 {
            queue
        } else {
            format!("{queue}\u{6}\u{16}{step}")
        };
        raw::call::<i64>(
            server,
            &[b"RPUSH", list.as_bytes(), message.to_string().as_bytes()],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_message_that_no_queue_is_bound_for_stays_held() {
    let server = RedisServer::start();
    let record = r#"[{"body": "", "properties": {}}, "unknown", "key"]"#;
    server.cli(&["HSET", "unacked", "python-tag", record]);
    server.cli(&["ZADD", "unacked_index", "1", "python-tag"]);
    let other = r#"[{"body": "", "properties": {}}, "", "q"]"#;
    server.cli(&["HSET", "unacked", "other-tag", other]);
    server.cli(&["ZADD", "unacked_index", "0", "other-tag"]);
    let broker = open(&server).await;
    let (params, _notices) = params(&["another"]);
    let _sweeper = broker
        .consumer(ConsumerParams {
            visibility_timeout: Duration::from_secs(1),
            ..params
        })
        .await
        .unwrap();
    eventually(async || server.cli(&["LLEN", "q"]) == "1").await;
    assert_eq!(server.cli(&["HGET", "unacked", "python-tag"]), record);
    assert_eq!(server.cli(&["ZCARD", "unacked_index"]), "1");
}

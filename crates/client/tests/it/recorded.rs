//! The recorded messages of a Python producer: the same canvas sent from here gives the same messages.

use std::collections::HashMap;
use std::path::PathBuf;

use broker::{Admin, MemoryBroker};
use client::canvas::{
    Applied, Lineage, StampingVisitor, apply, chain, chord, chunks, group, linked_error, map,
    stamp, starmap,
};
use client::{Client, ClientOptions};
use protocol::{Limits, Message, Signature, Value};
use serde_json::Value as Json;

/// Variable that names a folder with other vectors of the same format.
const FOLDER: &str = "CELERIAC_VECTORS";

/// What differs from call to call, or is display only.
const LEFT_OUT: [&str; 9] = [
    "delivery_tag",
    "expiration",
    "expires",
    "ignore_result",
    "kwargsrepr",
    "lang",
    "origin",
    "body_encoding",
    "content-encoding",
];

fn add(args: &[i64]) -> Signature {
    call("demo.add", args)
}

fn call(task: &str, args: &[i64]) -> Signature {
    Signature::new(task).args(args.iter().map(|arg| Value::Int(*arg)).collect())
}

fn sum() -> Signature {
    Signature::new("demo.tsum")
}

fn errback() -> Signature {
    Signature::new("demo.errback1")
}

/// The signature of a recorded call; `None` for kinds that are no canvas.
fn built(case: &Json) -> Option<Signature> {
    let arguments = &case["call"]["kwargs"];
    let number = |name: &str| arguments[name].as_i64().unwrap();
    let count = || 0..number("n");
    let built = match case["kind"].as_str().unwrap() {
        "chain" => {
            let values = arguments["values"].as_array().unwrap();
            let mut steps: Vec<_> = values
                .iter()
                .map(|value| add(&[value.as_i64().unwrap()]))
                .collect();
            steps[0].args.push(Value::Int(1));
            chain(steps)
        }
        "chain_options" => {
            let first = add(&[1, 1]).option("queue", arguments["queue"].as_str().unwrap());
            let second = Signature {
                immutable: true,
                ..call("demo.mul", &[3, 4])
            };
            let third = add(&[5])
                .option("countdown", number("countdown"))
                .option("priority", 7_i64);
            let steps = chain([first, second, third]).unwrap();
            let linked = linked_error(steps, errback()).unwrap();
            Ok(linked.option("expires", 600_i64))
        }
        "group" => group(count().map(|n| add(&[n, n]))),
        "group_nested" => {
            let inner = group(count().map(|n| add(&[n, 1]))).unwrap();
            group([
                add(&[0, 0]),
                inner,
                chain([add(&[9, 9]), add(&[1])]).unwrap(),
            ])
        }
        "chord" => chord(count().map(|n| add(&[n, n])), sum()),
        "chord_list_order" => chord((0..3).map(|n| add(&[n, n])), sum()),
        "chord_errback" => {
            let fail = Signature::new("demo.fail").args(vec!["bad".into()]);
            let body = linked_error(sum(), errback()).unwrap();
            chord([add(&[1, 1]), fail], body)
        }
        "chord_in_chain" => {
            let members = group(count().map(|n| add(&[n]))).unwrap();
            chain([add(&[1, 1]), members, sum(), add(&[100])])
        }
        "chord_of_chains" => {
            let member = |n| chain([add(&[n, 1]), add(&[2])]).unwrap();
            chord(count().map(member), sum())
        }
        "chord_nested" => {
            let inner = chord([add(&[1, 1]), add(&[2, 2])], sum()).unwrap();
            let body = chain([sum(), add(&[5])]).unwrap();
            chord([inner, add(&[3, 3])], body)
        }
        "chord_group_body" => {
            let body = group([sum(), Signature::new("demo.echo")]).unwrap();
            chord([add(&[1, 1]), add(&[2, 2])], body)
        }
        "chunks" => {
            let pairs = count().map(|n| Value::from(vec![n, n])).collect();
            Ok(chunks(add(&[]), pairs, number("size").try_into().unwrap()))
        }
        "map" => Ok(map(sum(), lists(&arguments["it"]))),
        "starmap" => Ok(starmap(add(&[]), lists(&arguments["it"]))),
        "stamp" => {
            let headers = headers(&arguments["stamps"]);
            stamp(add(&[1, 2]), &headers, None, false)
        }
        "stamp_visitor" => {
            let mut visitor = Stamps(headers(&arguments["stamps"]));
            stamp(
                stamped_shape(case),
                &protocol::Map::new(),
                Some(&mut visitor),
                false,
            )
        }
        _ => return None,
    };
    Some(built.unwrap())
}

fn lists(it: &Json) -> Vec<Value> {
    match protocol::to_value(it).unwrap() {
        Value::List(items) => items,
        other => panic!("not a list: {other:?}"),
    }
}

fn headers(stamps: &Json) -> protocol::Map {
    match protocol::to_value(stamps).unwrap() {
        Value::Map(headers) => headers,
        other => panic!("not a map: {other:?}"),
    }
}

struct Stamps(protocol::Map);

impl StampingVisitor for Stamps {
    fn on_signature(&mut self, _: &Signature, _: &protocol::Map) -> protocol::Map {
        self.0.clone()
    }
}

/// Which of three trees was stamped shows in what was sent.
fn stamped_shape(case: &Json) -> Signature {
    let messages = case["messages"].as_array().unwrap();
    let embed = &messages[0]["decoded"]["body"][2];
    let pair = [add(&[1, 1]), add(&[2, 2])];
    let shape = if !embed["chain"].is_null() {
        let first = add(&[1, 2]).option("link", vec![add(&[7])]);
        chain([first, add(&[3])])
    } else if !embed["chord"].is_null() {
        chord(pair, sum())
    } else {
        group(pair)
    };
    shape.unwrap()
}

fn cases() -> Vec<Json> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/fixtures");
    let document = testkit::load_json(FOLDER, &root, "producer_redis");
    document["cases"].as_array().unwrap().clone()
}

/// The recorded messages in the order of sending, as headers, properties and body.
fn recorded(case: &Json) -> Vec<Json> {
    let messages = case["messages"].as_array().unwrap().iter().rev();
    messages.map(|message| message["decoded"].clone()).collect()
}

async fn sent(broker: &MemoryBroker, applied: &Applied) -> Vec<Json> {
    let mut queues: Vec<&str> = Vec::new();
    for call in &applied.calls {
        let queue = call.options.queue.as_deref().unwrap_or("celery");
        if !queues.contains(&queue) {
            queues.push(queue);
        }
    }
    let mut messages = Vec::new();
    for queue in queues {
        for raw in broker.peek(queue, 1_000).await.unwrap() {
            let body = Message::from_envelope(&raw, &Limits::default())
                .unwrap()
                .body;
            let mut envelope: Json = serde_json::from_slice(&raw).unwrap();
            envelope["body"] = serde_json::from_slice(&body).unwrap();
            messages.push(envelope);
        }
    }
    messages
}

/// Ids by the order in which they appear.
#[derive(Default)]
struct Ids(HashMap<String, usize>);

impl Ids {
    fn normal(&mut self, value: &Json) -> Json {
        match value {
            Json::Object(map) => {
                let mut names: Vec<_> = map.keys().collect();
                names.sort();
                let kept = names
                    .into_iter()
                    .filter(|name| !LEFT_OUT.contains(&name.as_str()));
                kept.map(|name| match name.as_str() {
                    "stamped_headers" => (name.clone(), sorted(&map[name])),
                    _ => (name.clone(), self.normal(&map[name])),
                })
                .collect()
            }
            Json::Array(items) => items.iter().map(|item| self.normal(item)).collect(),
            Json::String(text) if is_id(text) => {
                let next = self.0.len();
                Json::from(format!("id {}", self.0.entry(text.clone()).or_insert(next)))
            }
            other => other.clone(),
        }
    }
}

fn sorted(names: &Json) -> Json {
    let mut names: Vec<String> = serde_json::from_value(names.clone()).unwrap_or_default();
    names.sort();
    names.into()
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4
}

/// The recorded sizes of chords.
fn sizes(case: &Json) -> Vec<u64> {
    let keys = case["keys"].as_object().unwrap().iter();
    let sizes =
        keys.filter(|(key, _)| key.starts_with("celery-taskset-meta-") && key.ends_with(".s"));
    let mut sizes: Vec<u64> = sizes
        .map(|(_, dump)| dump["value"].as_str().unwrap().parse().unwrap())
        .collect();
    sizes.sort_unstable();
    sizes
}

#[tokio::test]
async fn the_same_canvas_gives_the_messages_that_python_sends() {
    let mut kinds: HashMap<String, usize> = HashMap::new();
    for case in cases() {
        let Some(signature) = built(&case) else {
            continue;
        };
        let broker = MemoryBroker::new();
        let client = Client::new(broker.backends(), ClientOptions::default());
        let lineage = Lineage {
            rules: client.canvas_rules(),
            ..Lineage::default()
        };
        let applied = apply(signature, &[], Vec::new(), &lineage).unwrap();
        let mut opened: Vec<u64> = applied.chords.iter().map(|chord| chord.size).collect();
        opened.sort_unstable();
        assert_eq!(opened, sizes(&case), "{}", case["id"]);
        client.start(applied.clone()).await.unwrap();
        let ours = sent(&broker, &applied).await;
        let theirs = recorded(&case);
        let ours = Ids::default().normal(&Json::Array(ours));
        let theirs = Ids::default().normal(&Json::Array(theirs));
        let pretty = |value: &Json| serde_json::to_string_pretty(value).unwrap();
        assert_eq!(
            ours,
            theirs,
            "{}:\n{}\n{}",
            case["id"],
            pretty(&ours),
            pretty(&theirs)
        );
        *kinds
            .entry(case["kind"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    println!(
        "{} canvas calls replayed: {kinds:?}",
        kinds.values().sum::<usize>()
    );
    assert_eq!(kinds.len(), 16, "a kind of canvas is missing");
}

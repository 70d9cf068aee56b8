//! Canvas trees as JSON, built and sent; the twin of `tests/python/trees.py`, which says what they look like.

use std::time::Duration;

use client::canvas::{chain, chord, chunks, group, linked, map, starmap};
use client::{CanvasResult, Client, ClientError, TaskError};
use protocol::{Codec, Limits, Map, Signature, Value};

const PATIENCE: Duration = Duration::from_secs(60);

/// Sends the trees of a file, one on each line, and prints what each gives.
pub(crate) async fn run(client: &Client, file: &str) -> Result<(), TaskError> {
    let text = std::fs::read_to_string(file).expect("the drill passes a file");
    let mut results = Vec::new();
    for line in text.lines() {
        results.push(client.apply(built(&decoded(line))?).await?);
    }
    for result in results {
        println!("{}", encoded(&outcome(&result).await));
    }
    Ok(())
}

/// Sends a group, saves it and prints its id.
pub(crate) async fn save(client: &Client) -> Result<(), TaskError> {
    let members = ["a", "b"].map(|label| note(label, false));
    let result = client.apply(group(members)?).await?;
    let group = result.into_group().expect("a group was sent");
    group.save().await?;
    println!("{}", group.id());
    Ok(())
}

/// Prints what a saved group gives.
pub(crate) async fn restore(client: &Client, group_id: &str) -> Result<(), TaskError> {
    let restored = client.restore_group::<Value>(group_id).await?;
    let group = restored.expect("the drill has saved the group");
    println!("{}", encoded(&Value::List(group.join(PATIENCE).await?)));
    Ok(())
}

async fn outcome(result: &CanvasResult) -> Value {
    let (name, value) = match result.get(PATIENCE).await {
        Ok(value) => ("value", value),
        Err(TaskError::Failed { exception, .. }) => ("error", exception.0.exc_type.into()),
        Err(other) => ("error", other.to_string().into()),
    };
    Value::Map(Map::from_iter([(name, value)]))
}

fn built(tree: &Value) -> Result<Signature, ClientError> {
    let (kind, parts) = tree
        .as_map()
        .and_then(|map| map.iter().next())
        .expect("a tree is a map");
    match kind {
        "note" => {
            let immutable = tree.get("immutable").is_some();
            let signature = note(parts.as_str().expect("a label"), immutable);
            match tree.get("link").and_then(Value::as_str) {
                Some(label) => linked(signature, note(label, false)),
                None => Ok(signature),
            }
        }
        "chain" => chain(all(parts)?),
        "group" => group(all(parts)?),
        "chord" => {
            let [header, body] = items(parts) else {
                panic!("a chord is a header and a body")
            };
            chord(all(header)?, built(body)?)
        }
        "chunks" => {
            let [count, size] = items(parts) else {
                panic!("chunks have items and a size")
            };
            let size = u32::try_from(number(size)).expect("a small number");
            Ok(chunks(Signature::new(NOTE), pairs(count), size))
        }
        "map" => {
            let items = (0..number(parts)).map(|number| format!("i{number}").into());
            Ok(map(Signature::new(NOTE), items.collect()))
        }
        "starmap" => Ok(starmap(Signature::new(NOTE), pairs(parts))),
        other => panic!("no such tree: {other}"),
    }
}

const NOTE: &str = "tree.note";

fn note(label: &str, immutable: bool) -> Signature {
    let signature = Signature::new(NOTE).args(vec![label.into()]);
    Signature {
        immutable,
        ..signature
    }
}

fn all(trees: &Value) -> Result<Vec<Signature>, ClientError> {
    items(trees).iter().map(built).collect()
}

fn items(value: &Value) -> &[Value] {
    value.as_list().expect("a list")
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}

fn pairs(count: &Value) -> Vec<Value> {
    let pair = |number| Value::from(vec![format!("i{number}"), format!("j{number}")]);
    (0..number(count)).map(pair).collect()
}

fn decoded(json: &str) -> Value {
    let value = Codec::Json.decode(json.as_bytes(), &Limits::default());
    value.expect("the drill passes JSON")
}

fn encoded(value: &Value) -> String {
    let bytes = Codec::Json.encode(value);
    let bytes = bytes.expect("a value that came by JSON goes by JSON");
    String::from_utf8_lossy(&bytes).into_owned()
}

//! The catalogue against the specification's table of tasks.

use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use tasks::arguments::{Bounds, Field, Kind, Need};
use tasks::catalogue::{ALL, Spec};

/// What the table calls a symbol.
const SYMBOL: &str = "^[A-Z0-9][A-Z0-9.\\-=^]{0,19}$";

/// A table of the specification.
pub fn specified(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(format!("{name}.gz"));
    serde_json::from_reader(GzDecoder::new(std::fs::File::open(file).unwrap())).unwrap()
}

#[test]
fn every_task_is_as_specified() {
    let table = specified("tasks.json");
    let specs: Vec<&Spec> = ALL.iter().flat_map(|tasks| tasks.iter()).collect();
    let rows = table["tasks"].as_array().unwrap();
    assert_eq!(specs.len(), rows.len());
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let spec = specs.iter().find(|spec| spec.name == name);
        let found = described(spec.unwrap_or_else(|| panic!("{name} is missing")));
        for (key, value) in &found {
            let expected = match key.as_str() {
                "args" => without_remarks(&row["args"]),
                "retry" => retry(&row["retry"]),
                _ => row.get(key).cloned().unwrap_or(Value::Null),
            };
            assert_eq!(whole(value), whole(&expected), "{name}: {key}");
        }
    }
}

/// With `1.0` written as `1`.
fn whole(value: &Value) -> Value {
    serde_json::from_str(&value.to_string().replace(".0,", ",").replace(".0}", "}")).unwrap()
}

/// A spec in the table's words.
fn described(spec: &Spec) -> Map<String, Value> {
    let retry = match spec.retry.max {
        0 => json!({"max": 0}),
        max => {
            json!({"max": max, "base_s": spec.retry.base_s, "cap_s": spec.retry.cap_s, "jitter": spec.retry.jitter})
        }
    };
    let all = json!({
        "aliases": spec.aliases, "queue": spec.queue, "expires_s": spec.expires_s, "retry": retry,
        "soft_time_limit_s": spec.limits.soft_s, "time_limit_s": spec.limits.hard_s,
        "args": spec.fields.iter().map(argument).collect::<Vec<_>>(),
    });
    all.as_object().unwrap().clone()
}

fn retry(row: &Value) -> Value {
    let mut row = row.clone();
    row.as_object_mut().unwrap().remove("backoff");
    row
}

fn argument(field: &Field) -> Value {
    let mut row = Map::new();
    row.insert("name".to_owned(), field.name.into());
    match field.need {
        Need::Required => row.insert("required".to_owned(), true.into()),
        Need::Default(preset) => row.insert(
            "default".to_owned(),
            serde_json::to_value(preset.value()).unwrap(),
        ),
    };
    let mut more = kind(&field.kind);
    row.append(more.as_object_mut().unwrap());
    row.retain(|_, value| !value.is_null() || field.need != Need::Required);
    row.retain(|key, value| key == "default" || !value.is_null());
    Value::Object(row)
}

fn kind(kind: &Kind) -> Value {
    let bounds = |Bounds { min, max }: Bounds<i64>| (min, max);
    match kind {
        Kind::Int(limits) => {
            let (min, max) = bounds(*limits);
            json!({"type": "int", "min": min, "max": max})
        }
        Kind::Number(limits) => json!({"type": "number", "min": limits.min, "max": limits.max}),
        Kind::Bool => json!({"type": "bool"}),
        Kind::Text(limits) => json!({"type": "str", "min_len": limits.min, "max_len": limits.max}),
        Kind::Choice(choices) => json!({"type": "str", "choices": choices}),
        Kind::Symbol(strict) => json!({"type": "str", "item_pattern": strict.then_some(SYMBOL)}),
        Kind::Date(_) => json!({"type": "date"}),
        Kind::Timestamp => json!({"type": "timestamp"}),
        Kind::Path(_) => json!({"type": "path"}),
        Kind::Object(usize::MAX) | Kind::Record(..) => json!({"type": "object"}),
        Kind::Object(bytes) => json!({"type": "object", "max_bytes": bytes}),
        Kind::Decimal => panic!("no argument of the table is a decimal"),
        Kind::Any => json!({"type": "list"}),
        Kind::List(item, limits) => list(item, *limits),
    }
}

fn list(item: &Kind, limits: Bounds<usize>) -> Value {
    let mut row = kind(item);
    let kind = format!("list[{}]", row["type"].as_str().unwrap());
    row["type"] = kind.into();
    row["min_items"] = json!(limits.min);
    row["max_items"] = json!(limits.max);
    row
}

/// The table's arguments without what is said in prose, and without the smallest number of lists that only say "ids" or "windows",
/// which the table leaves out and the catalogue does not.
fn without_remarks(args: &Value) -> Value {
    let mut args = args.clone();
    for arg in args.as_array_mut().unwrap() {
        let arg = arg.as_object_mut().unwrap();
        arg.remove("doc");
        if arg["type"] == "list[int]" {
            arg.insert("min".to_owned(), 1.into());
        }
    }
    args
}

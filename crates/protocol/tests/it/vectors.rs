//! The recorded vectors: loading them, and comparing values.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::{Accept, Codec, Limits, Map, Value};

/// Variable that names a folder with other vectors of the same format.
const FOLDER: &str = "CELERIAC_VECTORS";

pub(crate) fn accept_all() -> Accept {
    Accept::new([Codec::Json, Codec::Msgpack, Codec::Yaml])
}

pub(crate) fn limits() -> Limits {
    Limits::default()
}

/// All cases of a file.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let json = match std::env::var_os(FOLDER) {
        Some(folder) => std::fs::read(PathBuf::from(folder).join(format!("{file}.json"))).unwrap(),
        None => unpacked(file),
    };
    let document = Codec::Json.decode(&json, &limits()).unwrap();
    let cases = document
        .get("cases")
        .and_then(Value::as_list)
        .unwrap()
        .to_vec();
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

fn unpacked(file: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let packed = std::fs::read(root.join(format!("{file}.json.gz"))).unwrap();
    let mut json = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_end(&mut json)
        .unwrap();
    json
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{key} is not text"))
}

/// The list under `key`, empty when absent.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_list).unwrap_or_default()
}

/// The entries under `key`, none when absent.
pub(crate) fn entries<'a>(value: &'a Value, key: &str) -> Vec<(&'a str, &'a Value)> {
    value
        .get(key)
        .and_then(Value::as_map)
        .map(|map| map.iter().collect())
        .unwrap_or_default()
}

/// Raw bytes of a recorded text or of its base64 stand-in.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Str(text) => text.clone().into_bytes(),
        other => STANDARD.decode(text(other, "$bytes_b64")).unwrap(),
    }
}

/// Gives values that JSON cannot hold their type back: `{"$datetime": …}` and its like.
pub(crate) fn untag(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(untag).collect()),
        Value::Map(map) => tagged(map).unwrap_or_else(|| {
            Value::Map(map.iter().map(|(key, value)| (key, untag(value))).collect())
        }),
        other => other.clone(),
    }
}

fn tagged(map: &Map) -> Option<Value> {
    let (kind, value) = map.iter().next().filter(|_| map.len() == 1)?;
    let text = value.as_str()?.to_owned();
    Some(match kind {
        "$datetime" => Value::DateTime(protocol::DateTime::parse(text).unwrap()),
        "$date" => Value::Date(protocol::Date::parse(text).unwrap()),
        "$time" => Value::Time(protocol::Time::parse(text).unwrap()),
        "$decimal" => Value::Decimal(protocol::Decimal::parse(text).unwrap()),
        "$uuid" => Value::Uuid(text.parse().unwrap()),
        "$bytes_b64" => Value::Bytes(STANDARD.decode(text).unwrap()),
        _ => return None,
    })
}

/// Equality as JSON values: 2 and 2.0 are the same number, NaN equals itself.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            left.as_f64() == right.as_f64()
        }
        (Value::Float(left), Value::Float(right)) => {
            left.to_bits() == right.to_bits() || left == right
        }
        _ => left == right,
    }
}

#[track_caller]
pub(crate) fn assert_same(got: &Value, recorded: &Value, case: &Value) {
    assert!(
        same(got, recorded),
        "{}:\n got      {got:?}\n recorded {recorded:?}",
        text(case, "id")
    );
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    Codec::Json.decode(bytes, &limits()).unwrap()
}

/// Counts what was replayed, by kind, and prints it.
#[derive(Default)]
pub(crate) struct Counts(BTreeMap<String, usize>);

impl Counts {
    pub(crate) fn add(&mut self, case: &Value, number: usize) {
        *self.0.entry(text(case, "kind").to_owned()).or_default() += number;
    }

    /// Prints the counts; every kind must have had at least one replay.
    pub(crate) fn print(&self, file: &str, what: &str) {
        let total: usize = self.0.values().sum();
        let kinds: Vec<_> = self
            .0
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        println!("{file}: {total} {what} replayed ({})", kinds.join(", "));
        assert!(total > 0, "{file} replayed no {what}");
        for (kind, count) in &self.0 {
            assert!(*count > 0, "{file}: kind {kind} replayed no {what}");
        }
    }
}

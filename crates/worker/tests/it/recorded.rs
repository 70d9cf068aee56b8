//! What Python's worker said, recorded: the shapes that ours must have.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use protocol::{Codec, Limits, Value};

/// The recorded cases of this file; the folder is taken from `CELERIAC_VECTORS` when set.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let text = match std::env::var_os("CELERIAC_VECTORS") {
        Some(folder) => std::fs::read(PathBuf::from(folder).join(file)).unwrap(),
        None => shipped(file),
    };
    let document = Codec::Json.decode(&text, &Limits::default()).unwrap();
    list(&document, "cases").to_vec()
}

fn shipped(file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/fixtures");
    let packed = std::fs::File::open(folder.join(format!("{file}.gz"))).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut text)
        .unwrap();
    text
}

/// The list under this key; empty when there is none.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_list).unwrap_or_default()
}

/// The first item of a list.
pub(crate) fn first(value: &Value) -> &Value {
    value
        .as_list()
        .and_then(<[Value]>::first)
        .expect("a list with an item")
}

/// The keys of a map.
pub(crate) fn keys(value: &Value) -> BTreeSet<String> {
    value
        .as_map()
        .map(|map| map.keys().map(str::to_owned).collect())
        .unwrap_or_default()
}

/// The first recorded case of this kind.
pub(crate) fn case<'a>(cases: &'a [Value], kind: &str) -> &'a Value {
    let found = cases
        .iter()
        .find(|case| case.get("kind").and_then(Value::as_str) == Some(kind));
    found.unwrap_or_else(|| panic!("no case of kind {kind}"))
}

/// What one node answered in the first recorded case of this kind.
pub(crate) fn answer<'a>(cases: &'a [Value], kind: &str) -> &'a Value {
    let collected = first(case(cases, kind).get("collected").unwrap());
    collected
        .as_map()
        .and_then(|answers| answers.iter().next())
        .expect("one node answered")
        .1
}

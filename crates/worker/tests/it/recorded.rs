//! What Python's worker said, recorded: the shapes that ours must have.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

/// The recorded cases of this file; the folder is taken from `CELERIAC_VECTORS` when set.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let text = match std::env::var_os("CELERIAC_VECTORS") {
        Some(folder) => std::fs::read_to_string(PathBuf::from(folder).join(file)).unwrap(),
        None => shipped(file),
    };
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(cases) = document["cases"].take() else { panic!("{file} has no cases") };
    cases
}

fn shipped(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/fixtures");
    let packed = std::fs::File::open(folder.join(format!("{file}.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

/// The keys of a map.
pub(crate) fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

/// What one node answered in the first recorded case of this kind.
pub(crate) fn answer(cases: &[Value], kind: &str) -> Value {
    let case = cases.iter().find(|case| case["kind"] == kind).unwrap_or_else(|| panic!("no case of kind {kind}"));
    case["collected"][0].as_object().unwrap().values().next().unwrap().clone()
}

//! The settings file: finding it and reading it into values. It knows no setting's rules.

use std::path::{Path, PathBuf};

use config::{FileFormat, Source, ValueKind};
use protocol::{Codec, Limits, Map, Value};

use crate::Error;

/// Where a file is looked for when none is named, after the working directory and the data folder.
const SYSTEM_FILE: &str = "/etc/celeriac/celeriac.toml";
/// Names that are looked for in the working directory.
const LOCAL_NAMES: &[&str] = &[
    "celeriac.toml",
    "celeriac.yaml",
    "celeriac.yml",
    "celeriac.json",
];

/// The file to read: the named one, else the first that exists in `folder`, in the data folder or the system's.
pub(super) fn locate(named: Option<&Path>, folder: &Path, data_folder: &str) -> Option<PathBuf> {
    if let Some(path) = named {
        return Some(folder.join(path));
    }
    let local = LOCAL_NAMES.iter().map(|name| folder.join(name));
    let data = folder.join(data_folder).join(LOCAL_NAMES[0]);
    local
        .chain([data, PathBuf::from(SYSTEM_FILE)])
        .find(|path| path.is_file())
}

/// Reads a TOML, YAML or JSON file; its top level must be a table.
///
/// # Errors
/// When the file cannot be read, its name has another extension, or its text is not of that format.
pub fn read(path: &Path) -> Result<Map, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::ReadFile {
        path: path.to_owned(),
        source,
    })?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let parsed = match extension {
        Some("toml") => parse(&text, FileFormat::Toml),
        Some("yaml" | "yml") => parse(&text, FileFormat::Yaml),
        Some("json") => parse_json(&text),
        _ => Err("the name must end in .toml, .yaml, .yml or .json".into()),
    };
    parsed.map_err(|source| Error::ParseFile {
        path: path.to_owned(),
        source,
    })
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn parse(text: &str, format: FileFormat) -> Result<Map, Cause> {
    let table = config::File::from_str(text, format).collect()?;
    let mut map = Map::default();
    for (key, value) in table {
        map.insert(key, convert(value)?);
    }
    Ok(map)
}

/// JSON is read by the wire's decoder, which keeps the order of keys and refuses doubled ones.
fn parse_json(text: &str) -> Result<Map, Cause> {
    match Codec::Json.decode(text.as_bytes(), &Limits::default())? {
        Value::Map(map) => Ok(map),
        other => Err(format!("the top level must be an object, not {}", other.type_name()).into()),
    }
}

fn convert(value: config::Value) -> Result<Value, Cause> {
    Ok(match value.kind {
        ValueKind::Nil => Value::Null,
        ValueKind::Boolean(value) => Value::Bool(value),
        ValueKind::I64(number) => Value::Int(number),
        ValueKind::U64(number) => Value::Int(i64::try_from(number)?),
        ValueKind::I128(number) => Value::Int(i64::try_from(number)?),
        ValueKind::U128(number) => Value::Int(i64::try_from(number)?),
        ValueKind::Float(number) => Value::Float(number),
        ValueKind::String(text) => Value::Str(text),
        ValueKind::Array(items) => {
            Value::List(items.into_iter().map(convert).collect::<Result<_, _>>()?)
        }
        ValueKind::Table(table) => {
            let mut map = Map::default();
            for (key, value) in table {
                map.insert(key, convert(value)?);
            }
            Value::Map(map)
        }
    })
}

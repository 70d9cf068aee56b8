//! Recorded data: the compressed copy in the project, or a plain folder named by an environment variable.
//! What the data means belongs to the tests that read it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

/// The JSON file `name` (with or without `.json`); see [`load_bytes`] for where it is looked for.
///
/// # Panics
/// When the file is missing, unreadable or not JSON as `serde_json` understands it; a file with Python's
/// `NaN` or with integers beyond 64 bits must be read with [`load_bytes`].
#[must_use]
pub fn load_json(env_var: &str, fixtures: &Path, name: &str) -> Value {
    let file = match Path::new(name).extension() {
        Some(_) => name.to_owned(),
        None => format!("{name}.json"),
    };
    serde_json::from_slice(&load_bytes(env_var, fixtures, &file))
        .unwrap_or_else(|error| panic!("{file} is not JSON: {error}"))
}

/// The contents of the file `name`, extension included: from the folder in the variable `env_var` when that
/// is set and not empty, else from `fixtures`. In both a plain file goes before `<name>.gz`.
///
/// # Panics
/// When neither exists, or on a read error.
#[must_use]
pub fn load_bytes(env_var: &str, fixtures: &Path, name: &str) -> Vec<u8> {
    let folder = folder(env_var, fixtures);
    let plain = folder.join(name);
    if plain.is_file() {
        return fs::read(&plain)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", plain.display()));
    }
    inflate(&folder.join(format!("{name}.gz")), env_var)
}

fn folder(env_var: &str, fixtures: &Path) -> PathBuf {
    std::env::var_os(env_var)
        .filter(|value| !value.is_empty())
        .map_or_else(|| fixtures.to_path_buf(), PathBuf::from)
}

fn inflate(path: &Path, env_var: &str) -> Vec<u8> {
    let file = fs::File::open(path).unwrap_or_else(|error| {
        panic!(
            "cannot open {} nor the file without .gz: {error} (the folder can be set with {env_var})",
            path.display()
        )
    });
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap_or_else(|error| panic!("cannot inflate {}: {error}", path.display()));
    bytes
}

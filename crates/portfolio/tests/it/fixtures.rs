//! Test data: compressed files of the project, or a folder that a variable names.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// An oracle file's text: from `CELERIAC_ORACLES` when set.
pub(crate) fn oracle(name: &str) -> String {
    match std::env::var_os("CELERIAC_ORACLES") {
        Some(folder) => read(&Path::new(&folder).join(name)),
        None => unpack(&root("tests/fixtures/oracles").join(format!("{name}.gz"))),
    }
}

/// A data file's text, by its path relative to the data folder: from `CELERIAC_DATA` when set.
pub(crate) fn data(path: &str) -> String {
    match std::env::var_os("CELERIAC_DATA") {
        Some(folder) => read(&Path::new(&folder).join(path)),
        None => packed(path).unwrap_or_else(|| panic!("no fixture for {path}")),
    }
}

fn packed(path: &str) -> Option<String> {
    let places = [root("tests/fixtures/data"), root("demo")];
    let file = places
        .into_iter()
        .map(|place| place.join(format!("{path}.gz")))
        .find(|file| file.exists())?;
    Some(unpack(&file))
}

/// A path of the crate `portfolio`, from its own tests and from those of a crate beside it.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../portfolio")
        .join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn unpack(path: &Path) -> String {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

//! Where recorded data is looked for. Each test names a variable of its own; no test sets one, because
//! the environment belongs to the whole process.

use std::fs::{self, File};
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::{TempDir, load_bytes, load_json, workspace_root};

fn write_gz(folder: &TempDir, name: &str, text: &str) {
    let file = File::create(folder.path().join(name)).unwrap();
    let mut encoder = GzEncoder::new(file, Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

#[test]
fn a_compressed_fixture_is_read_with_and_without_its_extension() {
    let folder = TempDir::new().unwrap();
    write_gz(&folder, "lots.json.gz", r#"{"lots": 3}"#);
    for name in ["lots", "lots.json"] {
        let value = load_json("CELERIAC_TESTKIT_UNSET", folder.path(), name);
        assert_eq!(value["lots"], 3);
    }
}

#[test]
fn a_plain_file_goes_before_the_compressed_one() {
    let folder = TempDir::new().unwrap();
    write_gz(&folder, "prices.csv.gz", "old");
    fs::write(folder.path().join("prices.csv"), "new").unwrap();
    let bytes = load_bytes("CELERIAC_TESTKIT_UNSET", folder.path(), "prices.csv");
    assert_eq!(bytes, b"new");
}

#[test]
fn the_variable_goes_before_the_fixtures_folder() {
    // Cargo sets this variable for every test that it runs, to this package's folder.
    let elsewhere = TempDir::new().unwrap();
    let bytes = load_bytes("CARGO_MANIFEST_DIR", elsewhere.path(), "Cargo.toml");
    let expected = fs::read(workspace_root().join("crates/testkit/Cargo.toml")).unwrap();
    assert_eq!(bytes, expected);
}

#[test]
#[should_panic(expected = "the folder can be set with CELERIAC_TESTKIT_UNSET")]
fn a_missing_fixture_names_the_variable() {
    let folder = TempDir::new().unwrap();
    let _nothing = load_json("CELERIAC_TESTKIT_UNSET", folder.path(), "absent");
}

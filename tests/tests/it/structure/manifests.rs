//! Versions are decided in one place, the workspace's table.

use std::fs;

use toml::{Table, Value};

use super::assert_none;
use super::workspace::packages;

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The dependencies in `manifest` that bring a version, path or source of their own.
fn own_versions(manifest: &Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let nested = targets.into_iter().flat_map(Table::values);
    let tables = nested.filter_map(Value::as_table).chain([manifest]);
    tables
        .flat_map(|table| SECTIONS.iter().filter_map(|name| table.get(*name)))
        .filter_map(Value::as_table)
        .flatten()
        .filter(|(_, value)| !from_workspace(value))
        .map(|(name, _)| name.clone())
        .collect()
}

fn from_workspace(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[test]
fn every_dependency_comes_from_the_workspace_table() {
    let mut violations = Vec::new();
    for package in packages() {
        let manifest = fs::read_to_string(&package.manifest).unwrap();
        let names = own_versions(&manifest.parse().unwrap());
        violations.extend(
            names
                .into_iter()
                .map(|name| format!("{}: {name}", package.name)),
        );
    }
    assert_none("dependencies with a version of their own", violations);
}

#[test]
fn a_version_in_a_manifest_is_seen() {
    let manifest = "[dependencies]\na.workspace = true\nb = '1'\nc = { path = '..' }\n\
                    [target.'cfg(unix)'.dev-dependencies]\nd = { version = '2' }";
    let mut names = own_versions(&manifest.parse().unwrap());
    names.sort();
    assert_eq!(names, ["b", "c", "d"]);
}

//! The workspace as cargo sees it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// When a dependency is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

#[derive(Debug)]
pub struct Dependency {
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug)]
pub struct Package {
    pub name: String,
    pub manifest: PathBuf,
    pub dependencies: Vec<Dependency>,
    /// The root files of its programs.
    pub programs: Vec<PathBuf>,
}

impl Package {
    /// What it links when somebody uses it: everything but what its tests need.
    pub fn linked(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.kind != Kind::Dev)
            .map(|dependency| dependency.name.as_str())
    }

    /// The folder of its sources.
    pub fn source_folder(&self) -> PathBuf {
        self.manifest.with_file_name("src")
    }
}

/// All packages of the workspace with what they declare, nothing resolved.
pub fn packages() -> Vec<Package> {
    let json = cargo("metadata --no-deps --format-version 1");
    let metadata: Value = serde_json::from_str(&json).unwrap();
    list(&metadata["packages"]).iter().map(package).collect()
}

/// The package `name`.
pub fn find(name: &str) -> Package {
    packages()
        .into_iter()
        .find(|package| package.name == name)
        .unwrap_or_else(|| panic!("the workspace has no package {name}"))
}

/// The names of everything that the programs link or that builds them, outside crates included.
pub fn linked_crates() -> Vec<String> {
    cargo("tree --workspace --edges normal,build --prefix none --format {p}")
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

/// What `cargo` prints with `arguments`; nothing is fetched, the build has done that.
fn cargo(arguments: &str) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments.split(' '))
        .arg("--offline")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn package(value: &Value) -> Package {
    Package {
        name: text(&value["name"]),
        manifest: text(&value["manifest_path"]).into(),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(dependency)
            .collect(),
        programs: list(&value["targets"])
            .iter()
            .filter(|target| list(&target["kind"]).contains(&"bin".into()))
            .map(|target| text(&target["src_path"]).into())
            .collect(),
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: text(&value["name"]),
        kind: match value["kind"].as_str() {
            None => Kind::Normal,
            Some("build") => Kind::Build,
            Some("dev") => Kind::Dev,
            Some(other) => panic!("unknown kind of dependency {other}"),
        },
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

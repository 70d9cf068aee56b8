//! Where this workspace and its built programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool;

/// The root folder of the workspace.
///
/// # Panics
/// When the workspace was moved away after the build.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is where it was built")
}

/// The path of the workspace's binary `name`, built with the same profile as the running test.
///
/// `make test` builds all binaries beforehand. One that is missing is built here; one that exists is taken as
/// it is, so after a change rebuild it (`make test` does) before running a single test.
///
/// # Panics
/// When the binary does not build.
#[must_use]
pub fn bin(name: &str) -> PathBuf {
    let folder = profile_folder();
    let path = folder.join(name);
    if !path.is_file() {
        build(name, &folder);
    }
    path
}

/// `<target>/<profile>`: the folder of the running executable without cargo's `deps`.
fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a running test knows its own path");
    let folder = executable.parent().expect("an executable is in a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("deps is in a folder").to_path_buf()
    } else {
        folder.to_path_buf()
    }
}

fn build(name: &str, folder: &Path) {
    let profile = match folder.file_name().and_then(|last| last.to_str()) {
        Some("debug") => "dev",
        Some(other) => other,
        None => panic!("{} is not a cargo profile folder", folder.display()),
    };
    let target = folder
        .parent()
        .expect("a profile folder is in a target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    tool::run(
        Command::new(cargo)
            .args(["build", "--quiet", "--bin", name, "--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .current_dir(workspace_root()),
    );
}

//! Programs of the operating system that tests call: found on the PATH, or a panic that says what to install.

use std::path::PathBuf;
use std::process::{Command, Output};

/// The path of `program`.
///
/// # Panics
/// When it is not on the PATH; the text names the Debian `package` that brings it.
pub(crate) fn require(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!(
                "{program} is not installed and this test needs it: \
                 run `make setup` or `apt-get install {package}`"
            )
        })
}

/// Runs `command` to its end.
///
/// # Panics
/// When it cannot start or ends with a failure; the text holds both its outputs.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

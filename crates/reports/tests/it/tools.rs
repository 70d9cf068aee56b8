//! The programs that read files as people's readers do.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let mut command = Command::new(program);
    command.args(arguments).arg(file);
    if program == "pdftotext" {
        command.arg("-");
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; scripts/setup.sh installs it"));
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {text}{said}");
    text
}

/// The file, kept for the eye when `CELERIAC_KEEP_REPORTS` names a folder.
pub(crate) fn saved(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let keep = std::env::var_os("CELERIAC_KEEP_REPORTS").map(PathBuf::from);
    let file = keep.unwrap_or_else(|| folder.path().to_owned()).join(name);
    std::fs::write(&file, bytes).unwrap();
    file
}

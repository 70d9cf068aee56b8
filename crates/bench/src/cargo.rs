//! Cargo, started again for what the program of the benchmarks does not have in itself: programs with another allocator, criterion's benches.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Builds a program of a package as this one was built; returns where it is.
pub(crate) fn build(package: &str, program: &str) -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().and_then(|folder| folder.file_name());
    let profile = match folder.and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    let arguments = [
        "build",
        "-p",
        package,
        "--bin",
        program,
        "--profile",
        profile,
    ];
    run(&arguments, &[])?;
    Ok(this.with_file_name(program))
}

/// Runs cargo in the workspace, with additions to its environment; what it prints is seen on standard error.
pub(crate) fn run(arguments: &[&str], environment: &[(&str, &OsStr)]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let status = command
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(testkit::workspace_root())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}

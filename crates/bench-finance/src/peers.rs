//! Others at the same work, where they are installed: Python, and a loop in C for the limit of the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::figures::Peers;

/// Portfolios that a peer computes; its figure is per portfolio.
const PORTFOLIOS: &str = "200";
const LIMIT_PORTFOLIOS: &str = "1000";

/// Measures all peers that are there; each runs on one core.
pub(crate) fn measure() -> Peers {
    let mut peers = noted("Python", python()).unwrap_or_default();
    peers.limit = noted("C", limit());
    peers
}

/// A peer that is missing is told and left out.
fn noted<T>(name: &str, measured: anyhow::Result<T>) -> Option<T> {
    measured
        .inspect_err(|error| eprintln!("without {name}: {error:#}"))
        .ok()
}

fn python() -> anyhow::Result<Peers> {
    let venv = workspace().join(".venv/bin/python");
    let program = if venv.exists() {
        venv
    } else {
        PathBuf::from("python3")
    };
    let mut command = Command::new(&program);
    command
        .arg(folder().join("figures.py"))
        .args(["--portfolios", PORTFOLIOS]);
    for threads in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"] {
        command.env(threads, "1");
    }
    Ok(serde_json::from_str(&output(&mut command)?)?)
}

fn limit() -> anyhow::Result<f64> {
    let built = tempfile::tempdir()?;
    let program = built.path().join("limit");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-O3", "-march=native", "-ffast-math"])
        .arg(folder().join("limit.c"));
    output(compiler.arg("-o").arg(&program).arg("-lm"))?;
    Ok(output(Command::new(program).arg(LIMIT_PORTFOLIOS))?
        .trim()
        .parse()?)
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "{name}: {}",
        complaint.lines().last().unwrap_or("failed")
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The folder of the whole project.
pub(crate) fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .ancestors()
        .nth(2)
        .expect("the package lies two folders below the workspace")
}

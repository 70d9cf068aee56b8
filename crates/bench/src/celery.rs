//! Python Celery beside us: where it is installed, and how its worker and its client are started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::setup::Setup;
use crate::stamps;

/// Our tasks for Python Celery, and programs that send them.
const SCRIPTS: [(&str, &str); 6] = [
    ("bench_app.py", include_str!("../python/bench_app.py")),
    ("bench_beat.py", include_str!("../python/bench_beat.py")),
    ("bench_canvas.py", include_str!("../python/bench_canvas.py")),
    ("bench_micro.py", include_str!("../python/bench_micro.py")),
    (
        "bench_publish.py",
        include_str!("../python/bench_publish.py"),
    ),
    ("bench_send.py", include_str!("../python/bench_send.py")),
];

/// A Python environment with Celery.
#[derive(Clone, Debug)]
pub(crate) struct Celery {
    python: PathBuf,
    version: String,
}

impl Celery {
    /// The environment in `CELERIAC_VENV`, else in `.venv`; `None` when Celery is not installed there.
    pub(crate) fn find() -> Option<Self> {
        let folder = std::env::var_os("CELERIAC_VENV").filter(|folder| !folder.is_empty());
        let folder = folder.map_or_else(|| testkit::workspace_root().join(".venv"), PathBuf::from);
        let python = folder.join("bin/python");
        let print_version = "import celery, redis; print(celery.__version__)";
        let output = Command::new(&python)
            .args(["-c", print_version])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !version.is_empty()).then_some(Self { python, version })
    }

    /// Celery's version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Writes the scripts to `folder`.
    pub(crate) fn prepare(folder: &Path) -> anyhow::Result<()> {
        for (name, text) in SCRIPTS {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }

    /// A worker with the prefork pool.
    pub(crate) fn worker(&self, setup: &Setup, url: &str, folder: &Path, stamps: &Path) -> Command {
        let mut command = self.command(setup, url, folder, stamps);
        command
            .args(["-m", "celery", "-A", "bench_app", "worker", "-l", "WARNING"])
            .args(setup.worker_options());
        command
    }

    /// Runs one of the scripts; returns what it prints.
    pub(crate) fn script(
        &self,
        setup: &Setup,
        url: &str,
        folder: &Path,
        script: &str,
        options: &[String],
    ) -> anyhow::Result<String> {
        let mut command = self.command(setup, url, folder, Path::new(""));
        let output = command.arg(script).args(options).output()?;
        // Python tells what happened at the end.
        let error = String::from_utf8_lossy(&output.stderr);
        let last = error.trim_end().lines().last().unwrap_or_default();
        ensure!(output.status.success(), "{script}: {last}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Python in the folder of the scripts.
    pub(crate) fn command(
        &self,
        setup: &Setup,
        url: &str,
        folder: &Path,
        stamps: &Path,
    ) -> Command {
        let mut command = Command::new(&self.python);
        command
            .current_dir(folder)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
            .env("BENCH_BROKER_URL", url)
            .env("BENCH_RESULTS", if setup.results { "1" } else { "0" });
        command.env(stamps::VARIABLE, stamps);
        command
    }
}

//! Python with the real Celery, from the virtual environment that `make setup` makes. What the scripts do
//! belongs to the tests that bring them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Process;
use crate::{tool, workspace_root};

/// A Python interpreter and the environment variables its programs get.
#[derive(Clone, Debug)]
pub struct Python {
    interpreter: PathBuf,
    env: Vec<(OsString, OsString)>,
}

impl Python {
    /// The interpreter of the environment in `CELERIAC_VENV`, else of `.venv` in the workspace root.
    ///
    /// # Panics
    /// When there is none; the text says how to make it.
    #[must_use]
    pub fn find() -> Self {
        let folder = std::env::var_os("CELERIAC_VENV")
            .filter(|value| !value.is_empty())
            .map_or_else(|| workspace_root().join(".venv"), PathBuf::from);
        let interpreter = folder.join("bin/python");
        assert!(
            interpreter.is_file(),
            "{} is missing and this test needs Python Celery: run `make setup`, \
             or set CELERIAC_VENV to a virtual environment with tests/requirements.txt installed",
            interpreter.display()
        );
        Self {
            interpreter,
            env: vec![
                ("PYTHONUNBUFFERED".into(), "1".into()),
                ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
                ("PYTHONUTF8".into(), "1".into()),
            ],
        }
    }

    /// Adds an environment variable for everything started from here on.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// A command that runs the interpreter in `folder`; the caller adds arguments.
    #[must_use]
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.current_dir(folder).envs(self.env.iter().cloned());
        command
    }

    /// Runs the Python text `script` in `folder` to its end; returns its standard output.
    ///
    /// # Panics
    /// When it fails; the text holds the traceback.
    #[must_use = "the script's output says what happened"]
    pub fn run(&self, folder: &Path, script: &str) -> String {
        stdout(self.command(folder).args(["-c", script]))
    }

    /// Runs the file `script` with `args` to its end; returns its standard output.
    ///
    /// # Panics
    /// When it fails; the text holds the traceback.
    #[must_use = "the script's output says what happened"]
    pub fn run_file(&self, script: &Path, args: &[&str]) -> String {
        let folder = script.parent().unwrap_or(Path::new("."));
        stdout(self.command(folder).arg(script).args(args))
    }

    /// Runs `python -m module args` in `folder` to its end; returns its standard output.
    ///
    /// # Panics
    /// When it fails; the text holds both outputs.
    #[must_use = "the module's output says what happened"]
    pub fn run_module(&self, folder: &Path, module: &str, args: &[&str]) -> String {
        stdout(self.command(folder).args(["-m", module]).args(args))
    }

    /// Starts `python -m module args` in `folder`.
    #[must_use]
    pub fn spawn_module(&self, folder: &Path, module: &str, args: &[&str]) -> Process {
        Process::spawn(self.command(folder).args(["-m", module]).args(args))
    }

    /// Starts `celery -A <app> worker --loglevel INFO <args>` in `app_dir`; it is up when a line contains ` ready.`.
    #[must_use]
    pub fn spawn_worker(&self, app_dir: &Path, app: &str, args: &[&str]) -> Process {
        let worker = [&["-A", app, "worker", "--loglevel", "INFO"], args].concat();
        self.spawn_module(app_dir, "celery", &worker)
    }
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8_lossy(&tool::run(command).stdout).into_owned()
}

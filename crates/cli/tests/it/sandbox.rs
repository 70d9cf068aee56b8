//! A working directory, and `celeriac` in it without the variables of whoever runs the tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use testkit::{Process, TempDir, bin};

/// Long enough for a loaded machine; nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An executable shell script.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.file(name, &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        Command::from_std(self.std_command(Path::new(env!("CARGO_BIN_EXE_celeriac")), arguments))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Assert {
        self.command(arguments).timeout(PATIENCE).assert()
    }

    /// Runs with `--json` and reads what it prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat()).success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    }

    /// Starts `celeriac` and leaves it running.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Process {
        Process::spawn(&mut self.std_command(Path::new(env!("CARGO_BIN_EXE_celeriac")), arguments))
    }

    /// Starts the maintenance worker on these queues and waits until it consumes.
    pub(crate) async fn spawn_worker(&self, arguments: &[&str]) -> Process {
        let worker = bin("celeriac-worker-maintenance");
        let process = Process::spawn(&mut self.std_command(&worker, arguments));
        process
            .wait_for_line(|line| line.contains("worker ready"), PATIENCE)
            .await;
        process
    }

    pub(crate) fn std_command(&self, program: &Path, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.args(arguments).current_dir(self.path()).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
    }
}

/// What a command printed to standard output.
pub(crate) fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// What a command printed to standard error.
pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

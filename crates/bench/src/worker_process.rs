//! A worker's process under measurement: its start, its log and its end.

mod proctree;

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::stamps;
use proctree::Memory;

/// How long a worker may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(15);

/// A running worker; it leads a process group of its own, which ends with it.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    child: Child,
    log: PathBuf,
    started: f64,
}

impl WorkerProcess {
    /// Starts `command`; what it prints goes to the file `log`.
    pub(crate) fn spawn(mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0);
        let started = stamps::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self {
            child,
            log,
            started,
        })
    }

    /// When it was started, immediately before the system was asked to; seconds since 1970.
    pub(crate) fn started(&self) -> f64 {
        self.started
    }

    /// Memory of it and its descendants now.
    pub(crate) fn memory(&self) -> Memory {
        proctree::memory(self.pid().as_raw())
    }

    /// CPU time used by it and its descendants so far.
    pub(crate) fn cpu(&self) -> Duration {
        proctree::cpu(self.pid().as_raw())
    }

    /// Fails with the end of its log when it has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "the worker ended early with {status}: {}",
                self.last_lines()
            );
        }
        Ok(())
    }

    /// Ends it as an operator would (SIGTERM), and kills what is left of its group.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        kill(self.pid(), Signal::SIGTERM)?;
        let end = Instant::now() + GRACE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() >= end {
                bail!(
                    "the worker did not end within {GRACE:?}: {}",
                    self.last_lines()
                );
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(self) {
        drop(self);
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id fits 32 bits"))
    }

    fn last_lines(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // The group is gone already when everything has ended by itself.
        let _ = killpg(self.pid(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

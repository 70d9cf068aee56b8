//! A child process of a test: its output line by line, its signals, its end. It leads a process group of its
//! own, so that what it started dies with it. What the program is does not matter here.

mod capture;

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::sync::watch;
use tokio::time::timeout;

pub use capture::{Line, Stream};

/// A running program. Dropping it kills its whole process group.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    lines: watch::Receiver<Vec<Line>>,
}

impl Process {
    /// Starts `command` without input, with both outputs captured.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} did not start: {error}"));
        let lines = capture::start(&mut child);
        Self { name, child, lines }
    }

    /// The process id, which is also the id of its group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line, on either stream and from the start of the program, that `predicate` accepts.
    ///
    /// # Panics
    /// When none has come within `deadline`, or the output has ended without one; the text holds the output so far.
    pub async fn wait_for_line(
        &self,
        predicate: impl Fn(&str) -> bool,
        deadline: Duration,
    ) -> String {
        let mut found = None;
        let mut lines = self.lines.clone();
        let search = lines.wait_for(|all| {
            found = all.iter().find(|line| predicate(&line.text)).cloned();
            found.is_some()
        });
        let why = match timeout(deadline, search).await {
            Ok(Ok(_)) => "",
            Ok(Err(_)) => "its output ended",
            Err(_) => "the deadline passed",
        };
        match found {
            Some(line) => line.text,
            None => panic!(
                "{}: the awaited line did not come ({why}, {deadline:?})\n{}",
                self.name,
                self.output()
            ),
        }
    }

    /// All captured lines so far, in order of arrival.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.lines.borrow().clone()
    }

    /// Everything captured so far as one text, both streams mixed.
    #[must_use]
    pub fn output(&self) -> String {
        let texts: Vec<_> = self.lines().into_iter().map(|line| line.text).collect();
        texts.join("\n")
    }

    /// Sends `signal` to the program itself, not to its group. An ended program is left alone.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn signal(&mut self, signal: Signal) {
        if self.is_running() {
            kill(self.id(), signal).expect("a running child takes signals from its parent");
        }
    }

    /// Asks the program to end (SIGTERM).
    pub fn terminate(&mut self) {
        self.signal(Signal::SIGTERM);
    }

    /// Kills the program and its group (SIGKILL) and waits for the program's end.
    pub fn kill(&mut self) {
        self.kill_group();
        self.child.wait().expect("a killed child can be waited for");
    }

    /// Whether the program has not ended yet.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.status().is_none()
    }

    /// Waits for the program's end.
    ///
    /// # Panics
    /// When it still runs after `deadline`; the text holds its output.
    pub async fn wait_exit(&mut self, deadline: Duration) -> ExitStatus {
        let end = Instant::now() + deadline;
        loop {
            if let Some(status) = self.status() {
                return status;
            }
            assert!(
                Instant::now() < end,
                "{} still runs after {deadline:?}\n{}",
                self.name,
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .expect("the state of a child can be read")
    }

    fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.pid()).expect("a process id fits 32 bits"))
    }

    fn kill_group(&self) {
        match killpg(self.id(), Signal::SIGKILL) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => panic!("cannot kill {}: {error}", self.name),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

//! One child process, from the worker's side: started, spoken to, listened to, ended.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;
use tracing::warn;

use super::link::{Receiver, Sender, link};
use super::record::Frame;
use super::{ChildCommand, autopsy};
use crate::engine::Engine;

/// How long a child may take to end that was told to, or that has closed its socket.
const FAREWELL: Duration = Duration::from_secs(5);
/// The longest line that is kept together.
const LINE: usize = 64 << 10;

/// A child process that lives, or has died since it was looked at last.
#[derive(Debug)]
pub(super) struct Process {
    registered: Registered,
    pid: u32,
    child: Child,
    pub(super) receiver: Receiver,
    pub(super) sender: Sender,
    /// Runs so far.
    pub(super) runs: u64,
    /// How often the pool had been restarted when it was started.
    pub(super) generation: u64,
    last_line: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a child and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, says so itself, or is not ready in time.
    pub(super) async fn start(engine: &Arc<Engine>) -> io::Result<Self> {
        let mut process = Self::spawn(engine)?;
        let patience = engine.settings.worker_proc_alive_timeout;
        let why = match timeout(patience, process.receiver.next()).await {
            Ok(Ok(Some(Frame::Ready))) => return Ok(process),
            Ok(Ok(Some(Frame::Unable(why)))) => why,
            Ok(Ok(Some(_)) | Err(_)) => "what it says is not understood".to_owned(),
            Ok(Ok(None)) => process.death().await,
            Err(_) => format!("it was not ready within {patience:?}"),
        };
        process.kill().await;
        Err(io::Error::other(process.with_last_line(why)))
    }

    fn spawn(engine: &Arc<Engine>) -> io::Result<Self> {
        let command = engine.settings.child.as_ref();
        let command = command.ok_or_else(|| io::Error::other("this program has no children"))?;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut child = spawn(command, theirs.into())?;
        let pid = child
            .id()
            .expect("a child that was not waited for has an id");
        let last_line = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(relay(stderr, Arc::clone(&last_line)));
        }
        let payload = engine.settings.limits.payload;
        let (receiver, sender) = link(UnixStream::from_std(ours)?, payload);
        Ok(Self {
            registered: Registered::new(engine, pid),
            pid,
            child,
            receiver,
            sender,
            runs: 0,
            generation: engine.pool.restarts(),
            last_line,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The resident memory in KiB; `None` when it is gone.
    pub(super) fn memory(&self) -> Option<u64> {
        autopsy::memory(self.pid)
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it has written last to its standard error.
    pub(super) fn last_line(&self) -> String {
        lock(&self.last_line).clone()
    }

    /// Sends a signal. The process was not waited for, so its number is still its own.
    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).map(Pid::from_raw);
        if let Some(Err(error)) = pid.ok().map(|pid| kill(pid, signal)) {
            warn!(pid = self.pid, %signal, %error, "cannot signal a child process");
        }
    }

    /// Waits for the end of a process that is dying, kills it if it does not die, and tells how it ended in Celery's words.
    pub(super) async fn death(&mut self) -> String {
        let status = match timeout(FAREWELL, self.child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                self.signal(Signal::SIGKILL);
                self.child.wait().await
            }
        };
        status.map_or_else(|error| error.to_string(), human)
    }

    /// Ends it at once.
    pub(super) async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        // Nothing else waits for it; an error says that it is gone.
        let _ = self.child.wait().await;
    }

    /// Tells it that nothing more comes, and waits until it has ended.
    pub(super) async fn retire(self) {
        let Self {
            registered,
            pid,
            mut child,
            receiver,
            sender,
            ..
        } = self;
        drop((receiver, sender));
        if timeout(FAREWELL, child.wait()).await.is_err() {
            warn!(pid, "a child process does not end; it is killed");
            // As above.
            let _ = child.kill().await;
        }
        drop(registered);
    }

    fn with_last_line(&self, why: String) -> String {
        let line = self.last_line();
        if line.is_empty() {
            why
        } else {
            format!("{why}; its last line: {line}")
        }
    }
}

/// A process that `stats` shows, for as long as it lives.
#[derive(Debug)]
struct Registered {
    engine: Arc<Engine>,
    pid: u32,
}

impl Registered {
    fn new(engine: &Arc<Engine>, pid: u32) -> Self {
        engine.pool.add_process(pid);
        Self {
            engine: Arc::clone(engine),
            pid,
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.engine.pool.remove_process(self.pid);
    }
}

fn spawn(command: &ChildCommand, socket: OwnedFd) -> io::Result<Child> {
    let mut spawned = Command::new(&command.program);
    if let Some(name) = std::env::args_os().next() {
        spawned.arg0(name);
    }
    spawned
        .args(&command.args)
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(socket))
        .stderr(Stdio::piped())
        // A Ctrl-C in the terminal is for the worker, which finishes what runs.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// The end of a process as billiard puts it.
fn human(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(number), _) => {
            let name = Signal::try_from(number).map_or("unknown", Signal::as_str);
            format!("signal {number} ({name})")
        }
        (None, code) => format!("exitcode {}", code.unwrap_or_default()),
    }
}

/// Writes what the child says to the worker's own standard error, line by line, and keeps the last line.
async fn relay(mut stderr: ChildStderr, last_line: Arc<Mutex<String>>) {
    let mut waiting = Vec::new();
    while let Ok(1..) = stderr.read_buf(&mut waiting).await {
        let end = match waiting.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if waiting.len() >= LINE => waiting.len(),
            None => continue,
        };
        pass_on(&waiting[..end], &last_line);
        waiting.drain(..end);
    }
    pass_on(&waiting, &last_line);
}

fn pass_on(text: &[u8], last_line: &Mutex<String>) {
    // Nobody may be reading it.
    let _ = io::stderr().lock().write_all(text);
    let mut lines = text.split(|byte| *byte == b'\n').rev();
    if let Some(line) = lines.find(|line| !line.is_empty()) {
        *lock(last_line) = String::from_utf8_lossy(line).into_owned();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

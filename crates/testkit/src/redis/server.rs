//! The running server: its starts and stops, and `redis-cli` beside it. Its addresses are in their own file.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::builder::{Credentials, RedisBuilder, SOCKET};
use crate::certificates::Certificates;
use crate::wait::poll_blocking;
use crate::{free_port, tool};

/// How long a server may take to come up or to go down.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often another port is tried when somebody took the free one first.
const PORT_ATTEMPTS: usize = 5;

/// A Redis server of its own for one test. Dropping it kills it and deletes its folder.
#[derive(Debug)]
pub struct RedisServer {
    child: Option<Child>,
    pub(super) port: u16,
    pub(super) settings: RedisBuilder,
    pub(super) certificates: Option<Certificates>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server with plain settings and waits until it answers.
    ///
    /// # Panics
    /// As [`RedisBuilder::start`].
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// The settings of a server to start.
    #[must_use]
    pub fn builder() -> RedisBuilder {
        RedisBuilder::default()
    }

    pub(super) fn from_builder(settings: RedisBuilder) -> Self {
        let folder = TempDir::new().expect("the system's temporary folder is writable");
        let certificates = settings.tls.then(|| Certificates::generate(folder.path()));
        let mut server = Self {
            child: None,
            port: 0,
            settings,
            certificates,
            folder,
        };
        for _ in 0..PORT_ATTEMPTS {
            server.port = free_port();
            if server.try_launch() {
                return server;
            }
        }
        panic!("redis-server did not come up:\n{}", server.log());
    }

    /// Runs `redis-cli` with `args` on this server and returns what it printed, without the last line end.
    /// An error of the server is text like any other answer.
    ///
    /// # Panics
    /// When redis-cli is not installed or cannot connect.
    pub fn cli(&self, args: &[&str]) -> String {
        let output = tool::run(self.cli_command().args(args));
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Stops the server as an operator would (SIGTERM) and waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        let ended = poll_blocking(DEADLINE, || self.has_ended().then_some(()));
        assert!(
            ended.is_some(),
            "redis-server did not stop:\n{}",
            self.log()
        );
        self.child = None;
    }

    /// Kills the server at once (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed by its parent");
            child.wait().expect("a killed child can be waited for");
        }
    }

    /// Freezes the server (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Thaws a paused server (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Stops the server if it runs, and starts it again on the same port and folder. Data is kept only with
    /// [`appendonly`](RedisBuilder::appendonly).
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart(&mut self) {
        if self.child.is_some() {
            self.stop();
        }
        assert!(
            self.try_launch(),
            "redis-server did not come up again:\n{}",
            self.log()
        );
    }

    /// Starts the process; false when it ended before it answered.
    fn try_launch(&mut self) -> bool {
        let configuration = self.folder.path().join("redis.conf");
        let text =
            self.settings
                .configuration(self.folder.path(), self.port, self.certificates.as_ref());
        fs::write(&configuration, text).expect("the server's folder is writable");
        let log = File::create(self.log_file()).expect("the server's folder is writable");
        let child = Command::new(tool::require("redis-server", "redis-server"))
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("an installed redis-server starts");
        self.child = Some(child);
        self.wait_ready()
    }

    /// Waits for an answer on the unix socket, which nobody else's server can give.
    fn wait_ready(&mut self) -> bool {
        let ready = poll_blocking(DEADLINE, || {
            if self.has_ended() {
                return Some(false);
            }
            self.answers().then_some(true)
        });
        let ready = ready.unwrap_or(false);
        if !ready {
            self.kill();
        }
        ready
    }

    fn answers(&self) -> bool {
        let output = self
            .cli_command()
            .arg("PING")
            .stderr(Stdio::null())
            .output()
            .expect("an installed redis-cli starts");
        output.stdout.starts_with(b"PONG")
    }

    fn has_ended(&mut self) -> bool {
        match &mut self.child {
            Some(child) => child
                .try_wait()
                .expect("the state of a child can be read")
                .is_some(),
            None => true,
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let id = i32::try_from(child.id()).expect("a process id fits 32 bits");
            kill(Pid::from_raw(id), signal).expect("a child takes signals from its parent");
        }
    }

    fn cli_command(&self) -> Command {
        let mut command = Command::new(tool::require("redis-cli", "redis-tools"));
        command.arg("-s").arg(self.socket()).stdin(Stdio::null());
        if let Some(Credentials { user, password }) = &self.settings.credentials {
            command.env("REDISCLI_AUTH", password);
            command.args(user.iter().flat_map(|user| ["--user", user]));
        }
        command
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

//! A PostgreSQL server of its own for one test, in a temporary folder and on a free port.
//!
//! The server refuses to run as root; a test that does runs it as the packages' own user, or as `nobody`.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tempfile::TempDir;

use crate::wait::poll_blocking;
use crate::{free_port, tool};

/// How long the server may take to come up or to go down.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often another port is tried when somebody took the free one first.
const PORT_ATTEMPTS: usize = 5;
/// The server's user inside its databases; everybody on this machine may connect as it.
const USER: &str = "celeriac";

/// A PostgreSQL server of its own for one test. Dropping it stops it and deletes its folder.
#[derive(Debug)]
pub struct Postgres {
    child: Option<Child>,
    port: u16,
    owner: Option<User>,
    folder: TempDir,
}

impl Postgres {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not come up; the text holds its log.
    #[must_use]
    pub fn start() -> Self {
        let mut server = Self {
            child: None,
            port: 0,
            owner: owner(),
            folder: TempDir::new().expect("the system's temporary folder is writable"),
        };
        server.initialise();
        for _ in 0..PORT_ATTEMPTS {
            server.port = free_port();
            if server.try_launch() {
                return server;
            }
        }
        panic!("postgres did not come up:\n{}", server.log());
    }

    /// The URL of the database that every server has.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database that a test has created.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgresql://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL with `psql` and returns what it printed, one line for each row, without the last line end.
    ///
    /// # Panics
    /// When psql is not installed or the statement fails.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    /// The same in a database that a test has created.
    ///
    /// # Panics
    /// As [`Postgres::sql`] does.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        let mut command = Command::new(program("psql"));
        command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, "-d"]);
        let output = tool::run(command.arg(self.url_of(database)));
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Kills the server at once (SIGKILL); its connections break.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed by its parent");
            child.wait().expect("a killed child can be waited for");
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn initialise(&self) {
        if let Some(owner) = &self.owner {
            let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
            chown(self.folder.path(), Some(user), Some(group))
                .expect("root may give a folder away");
        }
        let mut command = self.command("initdb");
        command.args(["--username", USER, "--auth=trust", "--encoding=UTF8"]);
        command
            .args(["--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(self.data());
        tool::run(&mut command);
    }

    /// Starts the server on the chosen port; false when it ends instead of answering.
    fn try_launch(&mut self) -> bool {
        let log = File::create(self.log_file()).expect("the folder is writable");
        let errors = log.try_clone().expect("a file handle can be doubled");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-k", ""]);
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn().expect("postgres starts");
        self.child = Some(child);
        let ready = poll_blocking(DEADLINE, || {
            if self.has_ended() {
                return Some(false);
            }
            self.answers().then_some(true)
        });
        ready == Some(true)
    }

    fn answers(&self) -> bool {
        let mut command = Command::new(program("pg_isready"));
        command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.status().is_ok_and(|status| status.success())
    }

    fn has_ended(&mut self) -> bool {
        self.child
            .as_mut()
            .is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// A program of the server, run as its owner.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.current_dir(self.folder.path());
        if let Some(owner) = &self.owner {
            command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
        }
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Postgres {
    /// SIGQUIT ends the server and its processes at once, so that none outlives the folder.
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            let pid = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
            let _ = kill(pid, Signal::SIGQUIT);
            let _ = poll_blocking(DEADLINE, || self.has_ended().then_some(()));
        }
        self.kill();
    }
}

/// Whom root lets the server run as; nobody else needs another user.
fn owner() -> Option<User> {
    geteuid().is_root().then(|| {
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .expect("a system has the user nobody")
    })
}

/// A program of the newest PostgreSQL: Debian keeps those of the server off the PATH.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin").join(name)))
        })
        .filter(|(_, path)| Path::is_file(path))
        .collect();
    found.sort();
    found
        .pop()
        .map_or_else(|| tool::require(name, "postgresql"), |(_, path)| path)
}

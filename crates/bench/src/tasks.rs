//! The tasks that are measured, and the worker that runs them. `python/bench_app.py` has the same for Python Celery.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use serde::{Deserialize, Serialize};
use worker::{Context, Outcome, Registry, Task};

use crate::stamps;

/// The name under which this program is started as a worker (its `argv[0]`).
pub(crate) const WORKER: &str = "bench-worker";

/// The same for a scheduler.
pub(crate) const BEAT: &str = "bench-beat";

/// As what this program was started, if not as itself.
pub(crate) fn role() -> Option<&'static str> {
    let name = std::env::args_os().next()?;
    let name = Path::new(&name).file_name()?.to_owned();
    [WORKER, BEAT]
        .into_iter()
        .find(|role| name == OsStr::new(role))
}

/// Copies this program to `folder` under the name of a role, and has the system forget its pages, as after a restart of the
/// machine. What is started from the copy shares no page of its code with the program that measures it, which would make its
/// memory look smaller than it is.
pub(crate) fn install(role: &str, folder: &Path) -> io::Result<PathBuf> {
    let program = folder.join(role);
    fs::copy(std::env::current_exe()?, &program)?;
    let file = File::open(&program)?;
    file.sync_all()?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    Ok(program)
}

/// This program again, as a worker.
pub(crate) fn worker_command() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0(WORKER);
    Ok(command)
}

/// The whole of the worker's program, with the usual options of a worker.
pub(crate) fn worker_main() -> ExitCode {
    service::worker_main(WORKER, |_| {
        Ok::<_, Infallible>(
            Registry::new()
                .task::<Noop>()
                .task::<Stamp>()
                .blocking::<Spin>(),
        )
    })
}

/// Does nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Noop {}

impl Task for Noop {
    const NAME: &'static str = "bench.noop";
    type Output = ();

    async fn run(self, _ctx: &Context) -> Result<(), Outcome> {
        Ok(())
    }
}

/// Notes when it was sent and when it started.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Seconds since 1970, taken before the publish call.
    pub(crate) sent: f64,
}

impl Task for Stamp {
    const NAME: &'static str = "bench.stamp";
    type Output = ();

    async fn run(self, _ctx: &Context) -> Result<(), Outcome> {
        let started = stamps::now();
        stamps_file().write_all(format!("{:.6} {started:.6}\n", self.sent).as_bytes())?;
        Ok(())
    }
}

/// Computes, on a thread of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spin {
    /// How long, in steps.
    pub(crate) steps: u64,
}

impl Task for Spin {
    const NAME: &'static str = "bench.spin";
    type Output = u64;

    async fn run(self, _ctx: &Context) -> Result<u64, Outcome> {
        Ok(spin(self.steps))
    }
}

/// The file named by the environment, opened once.
fn stamps_file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| {
        let path =
            std::env::var_os(stamps::VARIABLE).expect("the benchmark names the file to its worker");
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("the benchmark's folder is writable")
    })
}

/// Computes; the result depends on every step.
pub(crate) fn spin(steps: u64) -> u64 {
    (0..black_box(steps)).fold(1, |state: u64, step| {
        (state ^ step)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(17)
    })
}

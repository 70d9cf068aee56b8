//! Tasks that leave a trace. Their Python twins are in `tests/python/interop.py`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::Value;
use serde::{Deserialize, Serialize};
use worker::{Context, Outcome, Task};

/// Writes one line to the journal when it starts and one when it ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Which task of the drill this is.
    pub number: usize,
    /// The journal's file.
    pub journal_path: PathBuf,
    /// How long it takes.
    #[serde(default)]
    pub milliseconds: u64,
}

impl Task for Record {
    const NAME: &'static str = "drill.record";
    type Output = usize;

    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        self.leave_trace(std::process::id()).await
    }
}

impl Record {
    /// The run, as one of this worker process.
    async fn leave_trace(self, worker: u32) -> Result<usize, Outcome> {
        write_line(&self.journal_path, "start", self.number, worker)?;
        tokio::time::sleep(Duration::from_millis(self.milliseconds)).await;
        write_line(&self.journal_path, "end", self.number, worker)?;
        Ok(self.number)
    }
}

/// The same on a thread.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordOnThread(pub Record);

impl Task for RecordOnThread {
    const NAME: &'static str = "drill.record_on_thread";
    type Output = usize;

    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        self.0.leave_trace(std::process::id()).await
    }
}

/// The process that started this one. A worker that is killed leaves its children to another.
static PARENT: LazyLock<u32> = LazyLock::new(std::os::unix::process::parent_id);

/// Looks who started this process. A child has to before it is given a task: later its worker may be gone.
pub fn note_parent() {
    LazyLock::force(&PARENT);
}

/// The same in a child process; the journal names its worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordInChild(pub Record);

impl Task for RecordInChild {
    const NAME: &'static str = "drill.record_in_child";
    type Output = usize;

    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        self.0.leave_trace(*PARENT).await
    }
}

/// The same without ever awaiting anything, on a thread of the runtime.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Compute(pub Record);

impl Task for Compute {
    const NAME: &'static str = "drill.compute";
    type Output = usize;

    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        let end = Instant::now() + Duration::from_millis(self.0.milliseconds);
        write_line(
            &self.0.journal_path,
            "start",
            self.0.number,
            std::process::id(),
        )?;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        write_line(
            &self.0.journal_path,
            "end",
            self.0.number,
            std::process::id(),
        )?;
        Ok(self.0.number)
    }
}

/// The same with a payload, if that is its own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLarge {
    /// The trace to leave.
    pub record: Record,
    /// See [`RecordLarge::payload_of`].
    pub payload: String,
}

impl RecordLarge {
    /// A long text that no two numbers have in common.
    pub fn payload_of(number: usize) -> String {
        format!("{number};").repeat(2_000)
    }
}

impl Task for RecordLarge {
    const NAME: &'static str = "drill.record_large";
    type Output = usize;

    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        let number = self.record.number;
        if self.payload != Self::payload_of(number) {
            let text = format!("{number} has not got its payload");
            return Err(Outcome::fail("ValueError", text));
        }
        self.record.leave_trace(std::process::id()).await
    }
}

/// The body of a chord: the same, if it is given what the members returned.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// What the members returned.
    pub members: Vec<usize>,
    /// What they should have returned.
    pub expected: Vec<usize>,
    /// The trace to leave.
    pub record: Record,
}

client::first_argument!(Gather, members: Vec<usize>);

impl Task for Gather {
    const NAME: &'static str = "drill.gather";
    type Output = usize;

    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        if self.members != self.expected {
            let (members, expected) = (self.members, self.expected);
            return Err(Outcome::fail(
                "ValueError",
                format!("{members:?}, not {expected:?}"),
            ));
        }
        self.record.leave_trace(std::process::id()).await
    }
}

/// A task that a beat sends: writes its id, who has sent it, and when it ran.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The journal's file.
    pub journal_path: PathBuf,
}

impl Task for Slot {
    const NAME: &'static str = "drill.slot";
    type Output = ();

    async fn run(self, ctx: &Context) -> Result<(), Outcome> {
        let origin = ctx.request().origin.as_deref().unwrap_or_default();
        let line = format!("{} {origin} {}\n", ctx.id(), millis());
        Ok(append(&self.journal_path, &line)?)
    }
}

/// One append, so that a killed process leaves whole lines.
fn write_line(path: &Path, word: &str, number: usize, worker: u32) -> std::io::Result<()> {
    append(path, &format!("{word} {number} {worker} {}\n", millis()))
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    File::options()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(line.as_bytes())
}

/// Milliseconds since the epoch.
fn millis() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_millis()
}

/// Gives back what it is given.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// Anything.
    pub value: Value,
}

impl Task for Echo {
    const NAME: &'static str = "drill.echo";
    type Output = Value;

    async fn run(self, _: &Context) -> Result<Value, Outcome> {
        Ok(self.value)
    }
}

/// Fails with Python's `ValueError`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// The exception's text.
    pub message: String,
}

impl Task for Fail {
    const NAME: &'static str = "drill.fail";
    type Output = ();

    async fn run(self, _: &Context) -> Result<(), Outcome> {
        Err(Outcome::fail("ValueError", self.message))
    }
}

/// Kills the process that runs it, as a crash in foreign code or the system's want of memory does.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// The journal's file: each run begins a line.
    pub journal_path: PathBuf,
    /// Which task of the drill this is.
    pub number: usize,
}

impl Task for Kill {
    const NAME: &'static str = "drill.kill";
    type Output = ();

    async fn run(self, _: &Context) -> Result<(), Outcome> {
        write_line(&self.journal_path, "start", self.number, std::process::id())?;
        std::process::abort()
    }
}

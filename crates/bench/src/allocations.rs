//! `allocations`: how often the worker asks for memory for a task, and a producer for publishing one, and for how many bytes.
//!
//! A program of its own counts, so that no other measurement pays for it. Counts do not depend on what else the machine does.

mod counting;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

pub use counting::{Allocated, counting_main};

use crate::cargo;
use crate::drain;
use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Setup, Store};
use crate::size::Size;
use crate::trial::Trial;

/// Our worker's slots.
const SLOTS: usize = 100;
/// Two queues: what their drains differ by is free of the start and the end.
const SHORT: usize = 2_000;
const LONG: usize = 6_000;
/// Tasks that are published in one round trip.
const BATCH: usize = 1_000;
/// The program that counts; the environment may name it.
const PROGRAM: &str = "bench-counting";
const PROGRAM_VARIABLE: &str = "BENCH_COUNTING";

/// Whose allocations are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The worker: take, decode, bind, run, encode the result, settle.
    Worker,
    /// The same with task events on, so that it writes and sends three for a task; nobody listens.
    TellingWorker,
    /// A producer that publishes one by one.
    PublishOne,
    /// A producer that publishes in batches.
    PublishBatch,
}

impl Role {
    const ALL: [Self; 4] = [
        Self::Worker,
        Self::TellingWorker,
        Self::PublishOne,
        Self::PublishBatch,
    ];

    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::TellingWorker => "worker with events",
            Self::PublishOne => "publish one by one",
            Self::PublishBatch => "publish in batches",
        }
    }

    /// The setup in which it is measured.
    fn changes(self, setup: Setup) -> Setup {
        match self {
            Self::TellingWorker => setup.with_events(),
            Self::Worker | Self::PublishOne | Self::PublishBatch => setup,
        }
    }
}

/// One program that counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AllocationsRun {
    /// Whose.
    pub(crate) role: Role,
    /// Calls of the allocator for each task, a growth counting as one.
    pub(crate) calls: f64,
    /// Bytes asked for with them.
    pub(crate) bytes: f64,
}

/// Measures ours on every store.
pub(crate) async fn run(lab: &Lab, size: &Size) -> anyhow::Result<Vec<Row<AllocationsRun>>> {
    let program = program()?;
    let ours =
        [Store::Redis, Store::Sqlite].map(|store| Setup::celeriac(store).with_concurrency(SLOTS));
    let setups = size.chosen(ours).into_iter();
    let cases = setups.flat_map(|setup| Role::ALL.map(|role| (role.changes(setup), role)));
    let once = async |trial: &Trial<'_>, role: &Role| once(trial, &program, *role).await;
    Ok(lab.in_turn("allocations", cases, 1, once).await)
}

fn program() -> anyhow::Result<PathBuf> {
    std::env::var_os(PROGRAM_VARIABLE).map_or_else(
        || cargo::build("bench", PROGRAM),
        |program| Ok(std::path::absolute(program)?),
    )
}

async fn once(trial: &Trial<'_>, program: &Path, role: Role) -> anyhow::Result<AllocationsRun> {
    let batch = match role {
        Role::Worker | Role::TellingWorker => return worker(trial, program, role).await,
        Role::PublishOne => 1,
        Role::PublishBatch => BATCH,
    };
    let mut command = Command::new(program);
    command.args([counting::PUBLISH, trial.url()]);
    let output = command
        .args([LONG.to_string(), batch.to_string()])
        .current_dir(trial.folder())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the producer failed: {error}");
    Ok(AllocationsRun::new(
        role,
        serde_json::from_slice(&output.stdout)?,
        LONG,
    ))
}

async fn worker(trial: &Trial<'_>, program: &Path, role: Role) -> anyhow::Result<AllocationsRun> {
    let short = drained(trial, program, SHORT).await?;
    let long = drained(trial, program, LONG).await?;
    let counted = Allocated {
        calls: long.calls.saturating_sub(short.calls),
        bytes: long.bytes.saturating_sub(short.bytes),
    };
    Ok(AllocationsRun::new(role, counted, LONG - SHORT))
}

async fn drained(trial: &Trial<'_>, program: &Path, tasks: usize) -> anyhow::Result<Allocated> {
    let file = trial.folder().join("allocations.json");
    drain::whole(trial, tasks, || {
        trial.start_worker_program(program, |command| {
            command.env(counting::VARIABLE, &file);
        })
    })
    .await?;
    let text =
        fs::read(&file).with_context(|| format!("the worker wrote no {}", file.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

impl AllocationsRun {
    fn new(role: Role, counted: Allocated, tasks: usize) -> Self {
        Self {
            role,
            calls: counted.calls as f64 / tasks as f64,
            bytes: counted.bytes as f64 / tasks as f64,
        }
    }
}

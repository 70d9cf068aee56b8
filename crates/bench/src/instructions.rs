//! `instructions`: how many instructions the worker executes for a task, counted by callgrind. Other work on the machine does not
//! change the figure, so that it tells small steps apart.

mod profile;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::drain;
use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Setup, Store};
use crate::size::Size;
use crate::trial::Trial;
use profile::{Counts, Profile};

/// Our worker's slots.
const SLOTS: usize = 100;
/// Two queues: what their drains differ by is free of the start and the end.
const SHORT: usize = 2_000;
const LONG: usize = 6_000;
/// Where callgrind writes, in the trial's folder.
const COUNTS: &str = "callgrind.out";

/// Functions and crates that are named.
const NAMED: usize = 20;

/// Two drains under callgrind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstructionsRun {
    /// Instructions for each task.
    pub(crate) per_task: f64,
    /// Those of them that are executed in the code of a crate or a library, the most first.
    #[serde(default)]
    pub(crate) crates: Vec<Share>,
    /// Those in a function itself, the most first.
    #[serde(default)]
    pub(crate) functions: Vec<Share>,
}

/// A part of the instructions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Whose.
    pub(crate) name: String,
    /// For each task.
    pub(crate) per_task: f64,
}

/// Measures ours on every store.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<InstructionsRun>> {
    let ours =
        [Store::Redis, Store::Sqlite].map(|store| Setup::celeriac(store).with_concurrency(SLOTS));
    let once = async |trial: &Trial<'_>| {
        let short = count(trial, SHORT).await?;
        let long = count(trial, LONG).await?;
        Ok(between(&short, &long, (LONG - SHORT) as f64))
    };
    lab.repeat("instructions", size.chosen(ours), 1, once).await
}

async fn count(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<Profile> {
    let file = trial.folder().join(COUNTS);
    let output = format!("--callgrind-out-file={}", file.display());
    let options = ["--tool=callgrind", output.as_str()];
    let start = || trial.start_worker_under("valgrind", &options);
    drain::whole(trial, tasks, start)
        .await
        .context("under valgrind (`make bench-instructions` installs it)")?;
    Profile::read(&file)
}

/// What `long` has more than `short`, for each of so many tasks.
fn between(short: &Profile, long: &Profile, tasks: f64) -> InstructionsRun {
    let more = |now: &Counts, before: &Counts| {
        let mut shares: Vec<Share> = now
            .iter()
            .map(|(name, count)| Share {
                name: name.clone(),
                per_task: (count - before.get(name).copied().unwrap_or_default()) / tasks,
            })
            .collect();
        shares.sort_by(|a, b| b.per_task.total_cmp(&a.per_task));
        shares.truncate(NAMED);
        shares
    };
    InstructionsRun {
        per_task: (long.total() - short.total()) / tasks,
        crates: more(&long.by_crate(), &short.by_crate()),
        functions: more(&long.by_function(), &short.by_function()),
    }
}

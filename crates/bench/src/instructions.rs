//! `instructions`: how many instructions the worker executes for a task, counted by callgrind. Other work on the machine does not
//! change the figure, so that it tells small steps apart.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::cli::Size;
use crate::drain::wait_for_results;
use crate::figures::Row;
use crate::lab::Lab;
use crate::setup::{Setup, Store};
use crate::trial::Trial;

/// Our worker's slots.
const SLOTS: usize = 100;
/// Two queues: what their drains differ by is free of the start and the end.
const SHORT: usize = 2_000;
const LONG: usize = 6_000;
/// Where callgrind writes, in the trial's folder.
const COUNTS: &str = "callgrind.out";

/// Two drains under callgrind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstructionsRun {
    /// Instructions for each task.
    pub(crate) per_task: f64,
}

/// Measures ours on every store.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<InstructionsRun>> {
    let ours =
        [Store::Redis, Store::Sqlite].map(|store| Setup::celeriac(store).with_concurrency(SLOTS));
    let mut rows = Vec::new();
    for setup in size.chosen(ours) {
        let once = async |trial: &Trial<'_>| {
            let short = count(trial, SHORT).await?;
            let long = count(trial, LONG).await?;
            let per_task = (long - short) / (LONG - SHORT) as f64;
            Ok(InstructionsRun { per_task })
        };
        rows.push(lab.repeat("instructions", setup, 1, once).await);
    }
    rows
}

async fn count(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<f64> {
    let ids = trial.fill(tasks).await?;
    let file = trial.folder().join(COUNTS);
    let output = format!("--callgrind-out-file={}", file.display());
    let worker = trial.start_worker_under("valgrind", &["--tool=callgrind", &output])?;
    wait_for_results(trial, &ids).await?;
    worker.stop()?;
    total(&file)
}

/// The number of instructions that callgrind has written to a file.
fn total(file: &Path) -> anyhow::Result<f64> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("callgrind has written no {}", file.display()))?;
    let line = |name| text.lines().find_map(|line| line.strip_prefix(name));
    let total = line("totals:").or_else(|| line("summary:"));
    let total: f64 = total
        .context("callgrind's file has no total")?
        .trim()
        .parse()?;
    ensure!(total > 0.0, "callgrind has counted nothing");
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read() {
        let folder = testkit::TempDir::new().unwrap();
        let file = folder.path().join(COUNTS);
        fs::write(
            &file,
            "version: 1\nevents: Ir\nfn=(1) main\n1 5\ntotals: 12345\n",
        )
        .unwrap();
        assert_eq!(total(&file).unwrap(), 12_345.0);
    }
}

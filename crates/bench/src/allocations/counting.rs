//! What the counting program does: it works until it is stopped, or publishes, and tells what its allocator has counted.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use worker::SendTask as _;

use crate::tasks::{self, Noop};
use crate::trial;

/// The environment variable that names the file into which a worker writes its count.
pub(super) const VARIABLE: &str = "BENCH_ALLOCATIONS";
/// The first argument of a producer; a URL, the number of tasks and that of a batch follow.
pub(super) const PUBLISH: &str = "publish";

/// What an allocator has counted since the start of its process.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Allocated {
    /// How often memory was asked for, growing included.
    pub calls: usize,
    /// How many bytes.
    pub bytes: usize,
}

/// The whole of the counting program: the worker that is measured, or with the argument `publish` a producer.
pub fn counting_main(counted: impl Fn() -> Allocated) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (code, told) = match arguments.split_first() {
        Some((first, options)) if first == PUBLISH => {
            (ExitCode::SUCCESS, publish(options, counted))
        }
        _ => (tasks::worker_main(), write(counted())),
    };
    if let Err(error) = told {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    code
}

fn write(counted: Allocated) -> anyhow::Result<()> {
    let file = std::env::var_os(VARIABLE).context("no file was named")?;
    Ok(fs::write(file, serde_json::to_vec(&counted)?)?)
}

/// Prints what publishing alone took.
fn publish(options: &[String], counted: impl Fn() -> Allocated) -> anyhow::Result<()> {
    let [url, tasks, batch] = options else {
        bail!("publish takes a URL and two numbers");
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let counted = runtime.block_on(published(url, tasks.parse()?, batch.parse()?, counted))?;
    println!("{}", serde_json::to_string(&counted)?);
    Ok(())
}

async fn published(
    url: &str,
    tasks: usize,
    batch: usize,
    counted: impl Fn() -> Allocated,
) -> anyhow::Result<Allocated> {
    let (_, client) = trial::open(url, Path::new(".")).await?;
    // The first of all opens the connection.
    client.send(Noop {}).await?;
    let before = counted();
    for _ in 0..tasks / batch {
        if batch == 1 {
            client.send(Noop {}).await?;
            continue;
        }
        let calls = (0..batch).map(|_| client.call(Noop {}).build());
        client.send_all(calls.collect::<Result<_, _>>()?).await?;
    }
    let after = counted();
    Ok(Allocated {
        calls: after.calls - before.calls,
        bytes: after.bytes - before.bytes,
    })
}

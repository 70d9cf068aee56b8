//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::figures::Measure;
use crate::load::Size;
use crate::{document, suite};

/// Measures the finance domain on the reference load, with Python and the machine's limit beside it.
///
/// Without a command everything is measured and the finance part of docs/benchmarks.md is written.
#[derive(Debug, Parser)]
#[command(name = "bench-finance", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    size: Size,
    /// Repetitions; the table shows medians
    #[arg(long, default_value_t = 3, value_name = "N", global = true)]
    reps: usize,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take one measurement and print it as JSON
    One {
        /// Which
        measure: Measure,
        /// The load as a database
        database: PathBuf,
    },
    /// Write the load to a new database
    Write {
        /// The file
        database: PathBuf,
    },
}

pub(crate) fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation, the figures are of no use: add --release");
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match cli.command {
        Some(Command::One { measure, database }) => {
            let figure = runtime.block_on(suite::one(measure, cli.size, &database))?;
            println!("{}", serde_json::to_string(&figure)?);
        }
        Some(Command::Write { database }) => {
            let load = crate::load::Load::make(cli.size)?;
            runtime.block_on(crate::database::write(&load, &database))?;
        }
        None => {
            let figures = runtime.block_on(suite::run(cli.size, cli.reps.max(1)))?;
            document::print(&figures);
            document::write(&figures)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}

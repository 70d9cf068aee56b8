//! The command line: which measurements run, how large, and where the figures go.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::figures::Figures;
use crate::measurement::Measurement;
use crate::size::Size;
use crate::{report, sequence, tasks};

/// Measures Celeriac, with Python Celery (`make setup`) and other task queues (`make bench-peers`) beside it on the same Redis server where they
/// are installed.
///
/// Without a command everything is measured and docs/benchmarks.md is written.
#[derive(Debug, Parser)]
#[command(name = "bench", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    size: Size,
    /// Write the figures to this file as well
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// Write the figures into docs/benchmarks.md, in place of those of the same measurement there
    #[arg(long, global = true)]
    write: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    #[command(flatten)]
    Measure(Measurement),
    /// Write docs/benchmarks.md from the figures of an earlier run
    Report {
        /// The figures
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Run the worker that is measured, with a worker's usual options
    Worker {
        /// The worker's options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
}

/// The whole of the program when it is not started as a worker.
pub(crate) fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::Report { file }) => report_again(file),
        Some(Command::Worker { options }) => {
            Err(tasks::worker_command()?.args(options).exec().into())
        }
        Some(Command::Measure(one)) => {
            let figures = sequence::measure(&[one], &cli.size, |_| Ok(()))?;
            show(&figures, cli.json.as_deref())?;
            let failure = figures.failure();
            if cli.write {
                write_documents(&figures.or_before(earlier()?))?;
            }
            failure
        }
        None => {
            let figures = sequence::measure(&Measurement::ALL, &cli.size, write_documents)?;
            show(&figures, cli.json.as_deref())?;
            write_documents(&figures)?;
            figures.failure()
        }
    }
}

/// Prints the figures, and writes them to a file if one is named.
fn show(figures: &Figures, json: Option<&Path>) -> anyhow::Result<()> {
    report::print(figures);
    json.map_or(Ok(()), |file| save(figures, file))
}

fn report_again(file: Option<PathBuf>) -> anyhow::Result<()> {
    write_report(&match file {
        Some(file) => load(&file)?,
        None => earlier()?,
    })
}

/// The figures that docs/benchmarks.md shows.
fn earlier() -> anyhow::Result<Figures> {
    load(&documents().join("benchmarks.json"))
}

fn load(file: &Path) -> anyhow::Result<Figures> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", file.display()))
}

fn write_documents(figures: &Figures) -> anyhow::Result<()> {
    save(figures, &documents().join("benchmarks.json"))?;
    write_report(figures)
}

fn write_report(figures: &Figures) -> anyhow::Result<()> {
    let page = documents().join("benchmarks.md");
    let before = fs::read_to_string(&page).unwrap_or_default();
    write(&page, &report::document(figures, &before))
}

fn save(figures: &Figures, file: &Path) -> anyhow::Result<()> {
    write(file, &(serde_json::to_string_pretty(figures)? + "\n"))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

fn documents() -> PathBuf {
    testkit::workspace_root().join("docs")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["bench", "drain", "--reps", "5", "--concurrency", "10,50"])
            .unwrap();
        assert_eq!((cli.size.reps, cli.size.concurrency), (5, vec![10, 50]));
    }
}

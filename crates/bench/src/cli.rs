//! The command line: which measurements run, how large, and where the figures go.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::figures::Figures;
use crate::lab::Lab;
use crate::setup::Setup;
use crate::{beat, drain, latency, memory, report, start, tasks};

/// Measures Celeriac, with Python Celery beside it on the same Redis server where it is installed (`make setup`).
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

/// How much is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Size {
    /// Repetitions; the tables show medians
    #[arg(long, default_value_t = 3, value_name = "N", global = true)]
    pub(crate) reps: usize,
    /// Tasks in a queue to be drained
    #[arg(long, default_value_t = 100_000, value_name = "N", global = true)]
    pub(crate) tasks: usize,
    /// The same for Python Celery
    #[arg(long, default_value_t = 5_000, value_name = "N", global = true)]
    pub(crate) celery_tasks: usize,
    /// Tasks in a series of single tasks
    #[arg(long, default_value_t = 500, value_name = "N", global = true)]
    pub(crate) samples: usize,
    /// Numbers of slots to drain with, besides the default settings
    #[arg(
        long,
        default_value = "100",
        value_delimiter = ',',
        value_name = "N,N",
        global = true
    )]
    pub(crate) concurrency: Vec<usize>,
    /// Entries of a large schedule
    #[arg(long, default_value_t = 1_000_000, value_name = "N", global = true)]
    pub(crate) entries: usize,
    /// Entries of django-celery-beat's schedule, all due in each second; in a large schedule as many are due
    #[arg(long, default_value_t = 10_000, value_name = "N", global = true)]
    pub(crate) celery_entries: usize,
    /// How long a scheduler is watched
    #[arg(long, default_value_t = 60, value_name = "SECONDS", global = true)]
    pub(crate) seconds: u64,
    /// Only rows whose name contains this text, such as "SQLite" or "-c 100"
    #[arg(long, value_name = "TEXT", global = true)]
    pub(crate) only: Option<String>,
}

impl Size {
    /// Those of the setups that `--only` leaves.
    pub(crate) fn chosen(&self, setups: impl IntoIterator<Item = Setup>) -> Vec<Setup> {
        let wanted = |setup: &Setup| {
            self.only
                .as_ref()
                .is_none_or(|text| setup.to_string().contains(text))
        };
        setups.into_iter().filter(wanted).collect()
    }
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// How fast a full queue is emptied
    Drain,
    /// From publishing to the start of a single task
    Latency,
    /// Memory of a worker
    Memory,
    /// From the start of a worker to its first task
    Start,
    /// A scheduler with very many entries: start, tasks sent a second, memory, failover
    Beat,
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
        ref command => {
            let figures =
                tokio::runtime::Runtime::new()?.block_on(measure(command.as_ref(), &cli.size))?;
            report::print(&figures);
            if let Some(file) = &cli.json {
                save(&figures, file)?;
            }
            match command {
                None => write_documents(&figures),
                Some(_) if cli.write => write_documents(&figures.or_before(earlier()?)),
                Some(_) => Ok(()),
            }
        }
    }
}

/// Takes the figures that the command asks for; without a command all of them.
async fn measure(command: Option<&Command>, size: &Size) -> anyhow::Result<Figures> {
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation, the figures are of no use: add --release");
    }
    let lab = Lab::open()?;
    let mut figures = Figures::new(lab.machine()?);
    let wanted = |one: fn(&Command) -> bool| command.is_none_or(one);
    if wanted(|command| matches!(command, Command::Start)) {
        figures.start = start::run(&lab, size).await;
    }
    if wanted(|command| matches!(command, Command::Latency)) {
        figures.latency = latency::run(&lab, size).await;
    }
    if wanted(|command| matches!(command, Command::Memory)) {
        figures.memory = memory::run(&lab, size).await;
    }
    if wanted(|command| matches!(command, Command::Drain)) {
        figures.drain = drain::run(&lab, size).await;
    }
    if wanted(|command| matches!(command, Command::Beat)) {
        figures.beat = beat::run(&lab, size).await;
    }
    Ok(figures)
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

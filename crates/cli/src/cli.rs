//! The command line: what can be typed. What the commands do is in [`crate::commands`].

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use service::{CommonArgs, Exit};

use crate::commands::{
    call, completions, control, doctor, events, finance, graph, inspect, list, message, migrate,
    migrate_schedule, outbox, parked, purge, queues, report, result, schedule, settings, status,
    up, worker,
};

/// Runs and operates Celeriac: workers, schedule, queues and tasks.
#[derive(Debug, Parser)]
#[command(name = "celeriac", version, after_help = Exit::HELP, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Print JSON, for programs
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) habits: HabitArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Further options of Celery's command line.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct HabitArgs {
    /// Has no effect: no Python application is loaded. Accepted so that scripts can stay as they are
    #[arg(short = 'A', long, global = true, value_name = "APP")]
    pub(crate) app: Option<String>,
    /// Change to this folder first
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) workdir: Option<PathBuf>,
    /// Say only what was asked for
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Use no colours
    #[arg(short = 'C', long, global = true)]
    pub(crate) no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Args),
    Worker(worker::Args),
    Call(Box<call::Args>),
    Result(result::Args),
    Status(status::Args),
    Inspect(inspect::Args),
    Control(control::Args),
    Events(events::Args),
    Purge(purge::Args),
    Queues(queues::Args),
    #[command(subcommand)]
    List(list::Args),
    Migrate(migrate::Args),
    MigrateSchedule(migrate_schedule::Args),
    #[command(subcommand)]
    Outbox(outbox::Args),
    #[command(subcommand)]
    Parked(parked::Args),
    #[command(subcommand)]
    Schedule(schedule::Args),
    #[command(subcommand)]
    Message(message::Args),
    Settings(settings::Args),
    Doctor(doctor::Args),
    Report(report::Args),
    #[command(subcommand)]
    Graph(graph::Args),
    Completions(completions::Args),
    #[command(subcommand)]
    Finance(finance::Args),
}

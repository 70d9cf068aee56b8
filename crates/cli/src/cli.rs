//! The command line: what can be typed. What the commands do is in [`crate::commands`].

use clap::{Parser, Subcommand};
use service::{CommonArgs, Exit};

use crate::commands::{
    call, completions, doctor, finance, inspect, message, parked, purge, queues, result, schedule,
    settings, status, up, worker,
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
    #[command(subcommand)]
    pub(crate) command: Command,
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
    Purge(purge::Args),
    Queues(queues::Args),
    #[command(subcommand)]
    Parked(parked::Args),
    #[command(subcommand)]
    Schedule(schedule::Args),
    #[command(subcommand)]
    Message(message::Args),
    Settings(settings::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    #[command(subcommand)]
    Finance(finance::Args),
}

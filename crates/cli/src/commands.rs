//! The commands, one file each: options and what they do.

pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod finance;
pub(crate) mod inspect;
pub(crate) mod message;
pub(crate) mod parked;
pub(crate) mod purge;
pub(crate) mod queues;
pub(crate) mod result;
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod up;
pub(crate) mod worker;

use service::settings::Sources;
use service::{Exit, Program, Settings};

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::error::Error;

/// Runs the command; errors become exit codes in `main`.
pub(crate) fn run(cli: Cli) -> Result<Exit, Error> {
    if let Command::Completions(args) = cli.command {
        return completions::run(args);
    }
    let sources = Program::new("celeriac", &cli.common, Vec::new())?.sources;
    let context = Context { settings: load(&sources)?, json: cli.json };
    match cli.command {
        Command::Worker(args) => worker::run(args, &context, &cli.common),
        command => {
            let runtime = tokio::runtime::Runtime::new().map_err(service::Error::program)?;
            let outcome = runtime.block_on(run_async(command, context, &cli.common));
            runtime.shutdown_background();
            outcome
        }
    }
}

fn load(sources: &Sources) -> Result<Settings, Error> {
    Ok(Settings::load(sources)?)
}

//! The scheduler's program.

mod program;
mod settings_file;

use std::process::ExitCode;

use clap::Parser;
use service::{CommonArgs, LogArgs, Program};

const NAME: &str = "celeriac-beat";

/// Sends the tasks of the setting beat_schedule when they are due. Any number may run on one broker; one of them sends.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    match service::parse::<Args>(NAME) {
        Ok(args) => service::run(
            Program::new(NAME, &args.common, args.log.overrides()),
            program::run,
        ),
        Err(exit) => exit.into(),
    }
}

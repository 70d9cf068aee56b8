//! `celeriac`: the operator's command line and the service manager.

mod cli;
mod commands;
mod context;
mod demo;
mod error;
mod events;
mod migration;
mod next_runs;
mod output;
mod registered;
mod services;
mod signals;
mod summary;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match service::parse::<cli::Cli>("celeriac") {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let exit = commands::run(cli).unwrap_or_else(|error| {
        eprintln!("error: {}", service::error_text(&error));
        error.exit()
    });
    exit.into()
}

//! Options that every program has, and parsing with Celery's exit code for a wrong command line.

use std::path::PathBuf;

use clap::{Args, Parser};

use crate::exit::Exit;

/// What help calls the options of every program.
const COMMON: &str = "Common options";

/// Options of every program.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonArgs {
    /// The settings file (.toml, .yaml or .json). Default: $CELERIAC_CONFIG, ./celeriac.toml, data/celeriac.toml, /etc/celeriac/celeriac.toml
    #[arg(long, value_name = "FILE", global = true, help_heading = COMMON)]
    pub config: Option<PathBuf>,
    /// The broker, e.g. redis://localhost/0 or sqlite:data/celeriac.db
    #[arg(short, long, value_name = "URL", global = true, help_heading = COMMON)]
    pub broker: Option<String>,
    /// Where results are stored
    #[arg(long, value_name = "URL", global = true, help_heading = COMMON)]
    pub result_backend: Option<String>,
}

impl CommonArgs {
    /// The settings that these options set: name, option, value.
    pub fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let pairs = [
            ("broker_url", "--broker", &self.broker),
            ("result_backend", "--result-backend", &self.result_backend),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, option, value)| Some((name, option, value.clone()?)))
            .collect()
    }
}

/// Options of programs that stay: where they log.
#[derive(Debug, Clone, Default, Args)]
pub struct LogArgs {
    /// DEBUG, INFO, WARNING, ERROR, CRITICAL or FATAL
    #[arg(short, long, value_name = "LEVEL", ignore_case = true)]
    pub loglevel: Option<String>,
    /// Log to this file instead of standard error
    #[arg(short = 'f', long, value_name = "FILE")]
    pub logfile: Option<String>,
}

impl LogArgs {
    /// The settings that these options set.
    pub fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let level = self.loglevel.as_ref().map(|level| level.to_uppercase());
        let level = level.map(|level| ("celeriac_log_level", "--loglevel", level));
        let file = self
            .logfile
            .clone()
            .map(|file| ("celeriac_log_file", "--logfile", file));
        level.into_iter().chain(file).collect()
    }
}

/// Parses the command line of the program `name`; on a wrong one prints why and gives exit code 64, on `--help` and
/// `--version` 0.
///
/// # Errors
/// The exit code to end with.
pub fn parse<T: Parser>(name: &'static str) -> Result<T, Exit> {
    let matches = T::command().name(name).try_get_matches();
    matches
        .and_then(|matches| T::from_arg_matches(&matches))
        .map_err(|error| {
            // Nothing can be done about a closed terminal.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            }
        })
}

//! `celeriac completions`.

use clap::CommandFactory;
use clap_complete::Shell;
use service::Exit;

use crate::cli::Cli;
use crate::error::Error;
use crate::output;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  celeriac completions bash > /etc/bash_completion.d/celeriac")]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: Args) -> Result<Exit, Error> {
    // In memory first: the generator would panic at a reader that has gone.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "celeriac", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Ok)
}

//! `celeriac completions`.

use clap::CommandFactory;
use clap_complete::Shell;
use service::Exit;

use crate::cli::Cli;
use crate::error::Error;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  celeriac completions bash > /etc/bash_completion.d/celeriac")]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: Args) -> Result<Exit, Error> {
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        "celeriac",
        &mut std::io::stdout(),
    );
    Ok(Exit::Ok)
}

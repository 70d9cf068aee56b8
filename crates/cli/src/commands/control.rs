//! `celeriac control`.

use service::Exit;

use super::remote::table::Kind;
use super::remote::{self, Words, names};
use crate::context::Context;
use crate::error::Error;

/// Change what workers do
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac control rate_limit proj.tasks.mail 10/m
  celeriac control revoke 5f0c… 71aa…
  celeriac control terminate KILL 5f0c… -d celery@web1
  celeriac control add_consumer reports -p 'worker-*@web1'
  celeriac control custom set_level level=3   a command of your application
  celeriac control --list                     what each command takes

Python workers and ours take the same commands. As with Celery, the exit code
is 0 as soon as one node replies, also with an error, and 69 when none does.
Nobody answers a shutdown: who is there is asked first.")]
pub(crate) struct Args {
    /// The command
    #[arg(required_unless_present = "list", value_parser = names(Kind::Control))]
    command: Option<String>,
    #[command(flatten)]
    words: Words,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    remote::run(Kind::Control, args.command.as_deref(), args.words, context).await
}

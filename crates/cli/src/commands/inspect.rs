//! `celeriac inspect`.

use service::Exit;

use super::remote::table::Kind;
use super::remote::{self, Words, names};
use crate::context::Context;
use crate::error::Error;

/// Ask workers about themselves
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac inspect active
  celeriac inspect stats -d celery@web1 --json
  celeriac inspect registered rate_limit time_limit
  celeriac inspect query_task 5f0c… 71aa… -t 5
  celeriac inspect --list                     what each command takes

Python workers and ours answer alike. As with Celery, the exit code is 0 as
soon as one node replies, also with an error, and 69 when none does.")]
pub(crate) struct Args {
    /// The question
    #[arg(required_unless_present = "list", value_parser = names(Kind::Inspect))]
    command: Option<String>,
    #[command(flatten)]
    words: Words,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    remote::run(Kind::Inspect, args.command.as_deref(), args.words, context).await
}

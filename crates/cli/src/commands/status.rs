//! `celeriac status`.

use protocol::{Map, Value};
use service::Exit;

use super::remote::{Addressees, show_status};
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Show which workers are online
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac status
  celeriac status -t 3 --json
Exit code 69 when no node replies.")]
pub(crate) struct Args {
    #[command(flatten)]
    addressees: Addressees,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let client = context.client().await?;
    let answers = args.addressees.ask(&client, "ping", Map::new()).await?;
    if context.json {
        let answers = answers.into_iter().map(|reply| (reply.node, reply.value));
        output::json(&Value::Map(Map::from_iter(answers)));
    } else {
        show_status(&answers, context.quiet);
    }
    Ok(Exit::Ok)
}

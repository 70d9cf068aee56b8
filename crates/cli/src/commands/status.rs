//! `celeriac status`.

use std::time::Duration;

use client::Answers;
use service::Exit;

use crate::context::{Context, seconds};
use crate::error::Error;
use crate::output;

/// Show which workers are online
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac status
  celeriac status -t 3 --json
Exit code 69 when no node replies.")]
pub(crate) struct Args {
    /// How long to wait for each further reply
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    timeout: Duration,
    /// Only these nodes
    #[arg(short, long, value_name = "A,B", value_delimiter = ',')]
    destination: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let client = context.client().await?;
    let inspect = client
        .control()
        .inspect()
        .destination(args.destination)
        .timeout(args.timeout);
    let answers = inspect.ping().await?;
    if answers.is_empty() {
        return Err(Error::NoReply(args.timeout.as_secs_f64()));
    }
    show(&answers, context.json);
    Ok(Exit::Ok)
}

fn show(answers: &Answers, json: bool) {
    if json {
        return output::json(answers);
    }
    for node in answers.keys() {
        output::line(&format!("{node}: OK"));
    }
    let nodes = if answers.len() == 1 { "node" } else { "nodes" };
    output::line(&format!("\n{} {nodes} online.", answers.len()));
}

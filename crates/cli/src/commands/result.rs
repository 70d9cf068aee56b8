//! `celeriac result`.

use std::time::Duration;

use protocol::{State, TaskMeta, Value};
use service::Exit;

use super::call::show_result;
use crate::context::{Context, seconds};
use crate::error::Error;
use crate::output;

/// Show a task's state and result
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac result 5f0c…                what is known now
  celeriac result 5f0c… --wait         wait until it has ended

With --wait the exit code is 1 when the task failed.")]
pub(crate) struct Args {
    /// The task's id
    id: String,
    /// Wait until the task has ended
    #[arg(short, long)]
    wait: bool,
    /// How long to wait
    #[arg(short, long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let client = context.client().await?;
    let result = client.result::<Value>(&args.id);
    if args.wait {
        return show_result(&result, args.timeout, context).await;
    }
    let meta = result.meta().await?;
    let unknown = meta.is_none();
    let meta = meta.unwrap_or_else(|| TaskMeta::new(&args.id, State::Pending, Value::Null));
    if unknown && !context.json {
        eprintln!("nothing is stored under this id: the task has not started, or there is none");
    }
    if context.json {
        output::json(&Value::Map(meta.to_map()));
    } else {
        output::table(&["field", "value"], rows(&meta), "");
    }
    Ok(Exit::Ok)
}

fn rows(meta: &TaskMeta) -> Vec<Vec<String>> {
    let map = meta.to_map();
    let filled = map.iter().filter(|(_, value)| !value.is_null());
    filled
        .map(|(key, value)| vec![key.to_owned(), output::text(value)])
        .collect()
}

//! `celeriac result`.

use std::time::Duration;

use client::AsyncResult;
use protocol::{State, TaskMeta, Value};
use service::Exit;

use super::call::show_result;
use crate::context::{Context, seconds};
use crate::error::Error;
use crate::output;

/// How long a result that is there may take to be read again.
const AT_HAND: Duration = Duration::from_secs(10);

/// Show a task's result, or its state while there is none
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac result 5f0c…                the result, or the state until then
  celeriac result 5f0c… --wait         wait until it has ended
  celeriac result 5f0c… --traceback    why it failed
  celeriac result 5f0c… --all          everything that is stored

The exit code is 1 when the task failed, 0 while it has not ended. Celery's
command always waits: that is --wait here.")]
pub(crate) struct Args {
    /// The task's id
    id: String,
    /// Wait until the task has ended
    #[arg(short, long)]
    wait: bool,
    /// How long to wait
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
    /// Show the traceback instead
    #[arg(long, conflicts_with = "all")]
    traceback: bool,
    /// Show everything that is stored, as a table
    #[arg(long, conflicts_with = "wait")]
    all: bool,
    /// Has no effect: all tasks have one result backend. Accepted as Celery's
    #[arg(short, long, value_name = "NAME")]
    task: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let client = context.client().await?;
    let result = client.result::<Value>(&args.id);
    if args.traceback {
        return show_traceback(&args, &result).await;
    }
    if args.wait {
        return show_result(&result, args.timeout, context).await;
    }
    let meta = result.meta().await?;
    let ended = meta.as_ref().is_some_and(|meta| meta.status.is_ready());
    if ended && !args.all && !context.json {
        return show_result(&result, AT_HAND, context).await;
    }
    if meta.is_none() && !context.json {
        eprintln!("nothing is stored under this id: the task has not started, or there is none");
    }
    let meta = meta.unwrap_or_else(|| TaskMeta::new(&args.id, State::Pending, Value::Null));
    if context.json {
        output::json(&Value::Map(meta.to_map()));
    } else {
        output::table(&["field", "value"], rows(&meta), "");
    }
    Ok(Exit::Ok)
}

async fn show_traceback(args: &Args, result: &AsyncResult<Value>) -> Result<Exit, Error> {
    let meta = if args.wait {
        Some(result.wait(args.timeout).await?)
    } else {
        result.meta().await?
    };
    match meta.and_then(|meta| meta.traceback) {
        Some(traceback) => output::line(traceback.trim_end()),
        None => eprintln!("no traceback is stored under this id"),
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

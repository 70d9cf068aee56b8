//! `celeriac list`.

use broker::Binding;
use serde::Serialize;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What the broker knows
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac list bindings
  celeriac list bindings --json

The queues themselves, and what is in them: celeriac queues.")]
pub(crate) enum Args {
    /// Which queues exchanges hand messages on to
    Bindings,
}

#[derive(Debug, Serialize)]
struct Row {
    queue: String,
    exchange: String,
    routing_key: String,
}

impl From<Binding> for Row {
    fn from(binding: Binding) -> Self {
        let Binding {
            queue,
            exchange,
            routing_key,
        } = binding;
        Self {
            queue,
            exchange,
            routing_key,
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let Args::Bindings = args;
    let bindings = context.backends().await?.admin.bindings().await?;
    let rows: Vec<_> = bindings.into_iter().map(Row::from).collect();
    if context.json {
        output::json(&rows);
        return Ok(Exit::Ok);
    }
    let cells = rows
        .into_iter()
        .map(|row| vec![row.queue, row.exchange, row.routing_key]);
    let headers = ["queue", "exchange", "routing key"];
    output::table(&headers, cells.collect(), "there are no bindings yet");
    Ok(Exit::Ok)
}

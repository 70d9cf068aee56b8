//! `celeriac outbox`.

use std::sync::Arc;

use outbox::{Delivered, Outbox, Sender, Waiting};
use serde::Serialize;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Messages that wait for a broker that was down: look at them, send them, delete them
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac outbox list
  celeriac outbox send
  celeriac outbox purge 17 18
  celeriac outbox purge --all
The file is celeriac_outbox_path's.")]
pub(crate) enum Args {
    /// List them in their order
    List {
        /// How many at most
        #[arg(short = 'n', long, default_value = "100")]
        max: usize,
    },
    /// Send all of them now, also those that the broker has refused before
    Send,
    /// Delete them for good
    Purge {
        /// Their ids
        #[arg(required_unless_present = "all")]
        ids: Vec<i64>,
        /// All of them
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    id: i64,
    stored_at: &'a str,
    task: &'a str,
    task_id: &'a str,
    queue: &'a str,
    bytes: i64,
    refused: Option<&'a str>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let outbox = service::open_outbox(&context.settings).await?;
    let outbox = outbox.ok_or_else(|| {
        Error::Usage("there is no outbox: set celeriac_outbox_path to its file".to_owned())
    })?;
    match args {
        Args::List { max } => list(&outbox.list(max).await.map_err(failed)?, context.json),
        Args::Send => return send(outbox, context).await,
        Args::Purge { ids, all } => {
            let purged = match all {
                true => outbox.clear().await,
                false => outbox.delete(&ids).await,
            };
            tell("purged", purged.map_err(failed)?, context.json);
        }
    }
    Ok(Exit::Ok)
}

fn failed(error: outbox::OutboxError) -> Error {
    Error::Broker(error.into())
}

fn list(waiting: &[Waiting], json: bool) {
    let rows: Vec<_> = waiting.iter().map(row).collect();
    if json {
        return output::json(&rows);
    }
    let cells = |row: &Row<'_>| {
        vec![
            row.id.to_string(),
            row.stored_at.to_owned(),
            row.task.to_owned(),
            row.task_id.to_owned(),
            row.queue.to_owned(),
            row.bytes.to_string(),
            row.refused.unwrap_or_default().to_owned(),
        ]
    };
    let headers = [
        "id",
        "stored at",
        "task",
        "task id",
        "queue",
        "bytes",
        "refused",
    ];
    output::table(&headers, rows.iter().map(cells).collect(), "nothing waits");
}

fn row(waiting: &Waiting) -> Row<'_> {
    Row {
        id: waiting.id,
        stored_at: &waiting.stored_at,
        task: &waiting.task,
        task_id: &waiting.task_id,
        queue: &waiting.routing_key,
        bytes: waiting.bytes,
        refused: waiting.refused.as_deref(),
    }
}

/// Sends everything once. What the broker refuses stays, and is a failure.
async fn send(outbox: Arc<Outbox>, context: &Context) -> Result<Exit, Error> {
    let broker = context.backends().await?.broker;
    outbox.forgive().await.map_err(failed)?;
    let sender = Sender::new(Arc::clone(&outbox), broker);
    let Delivered::All { sent } = sender.deliver().await? else {
        return Err(Error::NotFound(
            "another process is sending this outbox just now".to_owned(),
        ));
    };
    tell(
        "sent",
        u64::try_from(sent).unwrap_or(u64::MAX),
        context.json,
    );
    let left = outbox.totals().await.map_err(failed)?.messages;
    if left > 0 && !context.quiet {
        eprintln!("note: {left} stay: the broker refuses them (celeriac outbox list)");
    }
    Ok(if left > 0 { Exit::Failure } else { Exit::Ok })
}

fn tell(done: &str, messages: u64, json: bool) {
    match json {
        true => output::json(&serde_json::json!({ done: messages })),
        false => output::line(&format!("{done}: {messages}")),
    }
}

//! `celeriac parked`.

use broker::{Admin, Parked, ParkedAction};
use protocol::{Limits, Map, Message, Value};
use serde::Serialize;
use service::Exit;

use super::message::readable;
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Characters of a name or a reason in the table; `parked show` and `--json` have all of them.
const SHOWN: usize = 300;
/// How many parked messages are looked at to find one by its id.
const MOST: usize = 100_000;

/// Messages that could not be run: look at them, run them again, delete them
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac parked list
  celeriac parked show ID
  celeriac parked requeue ID ID …
  celeriac parked delete --all")]
pub(crate) enum Args {
    /// List them with the reason
    List {
        /// How many at most
        #[arg(short = 'n', long, default_value = "100")]
        max: usize,
    },
    /// Show one with its message
    Show {
        /// Its id
        id: String,
    },
    /// Back to their queues
    Requeue(Chosen),
    /// Delete them for good
    Delete(Chosen),
}

/// Which ones.
#[derive(Debug, clap::Args)]
pub(crate) struct Chosen {
    /// Their ids
    #[arg(required_unless_present = "all")]
    ids: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    at: String,
    queue: &'a str,
    task: String,
    reason: &'a str,
    node: &'a str,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let admin = context.backends().await?.admin;
    match args {
        Args::List { max } => list(&admin.parked(max).await?, context.json),
        Args::Show { id } => show(&*admin, &id, context).await?,
        Args::Requeue(chosen) => settle(&*admin, chosen, ParkedAction::Requeue, context).await?,
        Args::Delete(chosen) => settle(&*admin, chosen, ParkedAction::Delete, context).await?,
    }
    Ok(Exit::Ok)
}

fn list(parked: &[Parked], json: bool) {
    let rows: Vec<_> = parked.iter().map(row).collect();
    if json {
        return output::json(&rows);
    }
    let cells = |row: &Row<'_>| {
        [row.id, &row.at, row.queue, &row.task, row.reason]
            .map(|text| output::cut(text, SHOWN).into_owned())
            .to_vec()
    };
    let headers = ["id", "parked at", "queue", "task", "reason"];
    output::table(
        &headers,
        rows.iter().map(cells).collect(),
        "nothing is parked",
    );
}

fn row(parked: &Parked) -> Row<'_> {
    Row {
        id: &parked.id,
        at: parked.at.to_string(),
        queue: &parked.queue,
        task: task_name(parked),
        reason: &parked.reason,
        node: &parked.node,
    }
}

/// The task's name, where the message can be read that far.
fn task_name(parked: &Parked) -> String {
    let message = Message::from_envelope(&parked.raw, &Limits::default());
    message
        .ok()
        .and_then(|message| message.headers.task)
        .unwrap_or_default()
}

async fn show(admin: &dyn Admin, id: &str, context: &Context) -> Result<(), Error> {
    let all = admin.parked(MOST).await?;
    let found = all.into_iter().find(|parked| parked.id == id);
    let parked = found.ok_or_else(|| missing(id))?;
    let message = readable(&parked.raw, &context.settings.limits()).unwrap_or_else(|error| {
        // Not readable, which may be why it was parked: shown as it is.
        let raw = String::from_utf8_lossy(&parked.raw).into_owned();
        Map::from_iter([
            ("error", Value::from(error.to_string())),
            ("raw", Value::from(raw)),
        ])
    });
    let message = Value::Map(message);
    let shown = serde_json::json!({ "parked": row(&parked), "message": message });
    output::json(&shown);
    Ok(())
}

async fn settle(
    admin: &dyn Admin,
    chosen: Chosen,
    action: ParkedAction,
    context: &Context,
) -> Result<(), Error> {
    let ids = match chosen.all {
        true => admin
            .parked(MOST)
            .await?
            .into_iter()
            .map(|parked| parked.id)
            .collect(),
        false => chosen.ids,
    };
    for id in &ids {
        if !admin.settle_parked(id, action).await? && !chosen.all {
            return Err(missing(id));
        }
    }
    let done = match action {
        ParkedAction::Requeue => "requeued",
        ParkedAction::Delete => "deleted",
    };
    if context.json {
        output::json(&serde_json::json!({ done: ids }));
    } else {
        output::line(&format!("{done}: {}", ids.len()));
    }
    Ok(())
}

fn missing(id: &str) -> Error {
    Error::NotFound(format!(
        "no message is parked under {id}; see celeriac parked list"
    ))
}

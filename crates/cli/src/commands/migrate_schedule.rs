//! `celeriac migrate-schedule`: entries that another scheduler runs, written to ours.

mod definition;
mod redbeat;
mod source;

use std::sync::Arc;

use beat::{Entry, Ran, ScheduleFile, SourceError, Store};
use protocol::{Map, Value};
use serde::Serialize;
use service::Exit;

use super::schedule::Schedule;
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Take over the schedule of Celery's beat or of celery-redbeat
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac migrate-schedule celeryconfig.json --dry-run
  celeriac migrate-schedule celeryconfig.toml --to broker
  celeriac migrate-schedule redis://localhost/1 --prefix redbeat:

A file has Celery's settings with beat_schedule in it (under any of its names),
or the schedule alone, as TOML, YAML or JSON. A Redis URL names the server of
celery-redbeat. Stop the other scheduler first. Entries begin with their first
slot from now on; in the tables those of redbeat go on after their last run.
Whatever cannot be expressed is named and left out; the exit code is then 1.")]
pub(crate) struct Args {
    /// A settings file, or the URL of redbeat's Redis server
    source: String,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
    /// Write entries that are there already anew
    #[arg(long)]
    replace: bool,
    /// Where to: the tables of celeriac_beat_database_url, or the broker [default: tables if there are any]
    #[arg(long, value_enum)]
    to: Option<Target>,
    /// redbeat_key_prefix
    #[arg(long, value_name = "PREFIX", default_value = "redbeat:")]
    prefix: String,
}

/// A store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    Tables,
    Broker,
}

/// An entry of the other scheduler.
#[derive(Debug)]
struct Found {
    name: String,
    /// In the form of the setting beat_schedule, or why it has none.
    definition: Result<Map, String>,
    ran: Option<Ran>,
}

/// What becomes of an entry.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    task: String,
    schedule: String,
    outcome: &'static str,
    problem: Option<String>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let found = source::read(&args.source, &args.prefix, &context.settings).await?;
    let schedule = Schedule::open(context).await?;
    let store = target(args.to, &schedule)?;
    let mut outcomes = Vec::with_capacity(found.len());
    for entry in found {
        outcomes.push(take(entry, &schedule, &*store, args, context).await?);
    }
    let is_whole = outcomes.iter().all(|outcome| outcome.problem.is_none());
    show(&outcomes, args, &*store, context);
    Ok(if is_whole { Exit::Ok } else { Exit::Failure })
}

fn target(to: Option<Target>, schedule: &Schedule) -> Result<Arc<dyn Store>, Error> {
    let first = schedule.sources.stores[0].clone();
    match to {
        None => Ok(first),
        Some(Target::Broker) => Ok(schedule.sources.broker.clone()),
        Some(Target::Tables) if schedule.sources.stores.len() > 1 => Ok(first),
        Some(Target::Tables) => Err(Error::Usage(
            "celeriac_beat_database_url is not set".to_owned(),
        )),
    }
}

async fn take(
    found: Found,
    schedule: &Schedule,
    store: &dyn Store,
    args: &Args,
    context: &Context,
) -> Result<Outcome, Error> {
    let name = found.name.clone();
    let entry = match understand(&found, context.settings.timezone()) {
        Ok(entry) => entry,
        Err(problem) => return Ok(Outcome::wrong(name, problem)),
    };
    let is_there = schedule.is_known(&name);
    let outcome = match (is_there, args.replace) {
        (true, false) => "is there already, left as it is",
        (true, true) => "replaced",
        (false, _) => "new",
    };
    if !args.dry_run && (!is_there || args.replace) {
        let definition = Value::Map(found.definition.unwrap_or_default());
        if let Err(error) = write(store, &name, &definition, found.ran).await {
            return Ok(Outcome::wrong(name, error.to_string()));
        }
    }
    Ok(Outcome {
        name,
        task: entry.task.to_string(),
        schedule: entry.timing().to_owned(),
        outcome,
        problem: None,
    })
}

/// The entry as beat reads it.
fn understand(found: &Found, timezone: &str) -> Result<Entry, String> {
    let definition = Value::Map(found.definition.clone()?);
    let alone = Map::from_iter([(found.name.clone(), definition)]);
    let mut read = ScheduleFile::read(&alone, timezone);
    match read.problems.pop() {
        Some(problem) => Err(format!("field {}: {}", problem.field, problem.source)),
        None => Ok(read.entries.remove(0)),
    }
}

async fn write(
    store: &dyn Store,
    name: &str,
    definition: &Value,
    ran: Option<Ran>,
) -> Result<(), SourceError> {
    store.put(name, definition).await?;
    let ran: Vec<Ran> = ran.into_iter().collect();
    store.keep_runs(&ran, jiff::Timestamp::now()).await
}

impl Outcome {
    fn wrong(name: String, problem: String) -> Self {
        Self {
            name,
            task: String::new(),
            schedule: String::new(),
            outcome: "left out",
            problem: Some(problem),
        }
    }
}

fn show(outcomes: &[Outcome], args: &Args, store: &dyn Store, context: &Context) {
    if context.json {
        output::json(&outcomes);
        return;
    }
    let cells = |outcome: &Outcome| {
        let what = match &outcome.problem {
            Some(problem) => format!("{}: {problem}", outcome.outcome),
            None => outcome.outcome.to_owned(),
        };
        [&outcome.name, &outcome.task, &outcome.schedule, &what].map(Clone::clone)
    };
    let rows = outcomes.iter().map(|outcome| cells(outcome).into());
    let headers = ["entry", "task", "schedule", "outcome"];
    output::table(&headers, rows.collect(), "there is no entry");
    let verb = if args.dry_run { "would go" } else { "went" };
    output::line(&format!("new entries {verb} to {}", store.place()));
}

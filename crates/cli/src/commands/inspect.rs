//! `celeriac inspect`.

use std::time::Duration;

use client::reply_error;
use protocol::{Map, Value};
use service::Exit;

use crate::context::{Context, seconds};
use crate::error::Error;
use crate::output;

/// Ask workers about themselves
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac inspect active
  celeriac inspect stats -d celery@web1 --json
  celeriac inspect query_task 5f0c… 71aa…
Exit code 69 when no node replies.")]
pub(crate) struct Args {
    /// The question
    question: Question,
    /// What the question is about: task ids for query_task, attributes for registered
    arguments: Vec<String>,
    /// How long to wait for each further reply
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    timeout: Duration,
    /// Only these nodes
    #[arg(short, long, value_name = "A,B", value_delimiter = ',')]
    destination: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Question {
    /// What they run now
    Active,
    /// The queues they consume
    ActiveQueues,
    /// Their Lamport clocks
    Clock,
    /// Their settings
    Conf,
    /// Whether they answer
    Ping,
    /// Where these tasks are
    QueryTask,
    /// The tasks they know
    Registered,
    /// A text for bug reports
    Report,
    /// What they hold and have not started
    Reserved,
    /// The tasks they will not run
    Revoked,
    /// What waits for its time
    Scheduled,
    /// Their numbers
    Stats,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let (method, arguments) = request(&args)?;
    let client = context.client().await?;
    let inspect = client
        .control()
        .inspect()
        .destination(args.destination)
        .timeout(args.timeout);
    let answers = inspect.ask(&method, arguments).await?;
    if answers.is_empty() {
        return Err(Error::NoReply(args.timeout.as_secs_f64()));
    }
    if context.json {
        output::json(&answers);
    } else {
        answers.iter().for_each(|(node, answer)| show(node, answer));
    }
    let failed = answers.values().any(|answer| reply_error(answer).is_some());
    Ok(if failed { Exit::Failure } else { Exit::Ok })
}

fn request(args: &Args) -> Result<(String, Map), Error> {
    let value = clap::ValueEnum::to_possible_value(&args.question);
    let method = value
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    let key = match args.question {
        Question::QueryTask if args.arguments.is_empty() => {
            return Err(Error::Usage("query_task needs the ids of tasks".to_owned()));
        }
        Question::QueryTask => "ids",
        Question::Registered => "taskinfoitems",
        _ if args.arguments.is_empty() => return Ok((method, Map::new())),
        _ => return Err(Error::Usage(format!("{method} takes no arguments"))),
    };
    Ok((method, Map::from_iter([(key, args.arguments.clone())])))
}

fn show(node: &str, answer: &Value) {
    output::line(&format!("-> {node}"));
    match answer {
        Value::List(items) if items.is_empty() => output::line("    - empty -"),
        Value::List(items) => items.iter().for_each(show_item),
        Value::Map(map) => show_fields(map),
        other => output::line(&format!("    {}", output::text(other))),
    }
}

fn show_fields(map: &Map) {
    let rows = map
        .iter()
        .map(|(key, value)| vec![key.to_owned(), output::text(value)]);
    output::table(&["field", "value"], rows.collect(), "    - empty -");
}

/// A record by its fields that say something; anything else on a line.
fn show_item(item: &Value) {
    let Some(record) = item.as_map() else {
        return output::line(&format!("    {}", output::text(item)));
    };
    let filled = record.iter().filter(|(_, value)| !is_empty(value));
    output::line("");
    for (key, value) in filled {
        output::line(&format!("    {key:<14} {}", output::text(value)));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

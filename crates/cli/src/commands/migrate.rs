//! `celeriac migrate`.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::Admin;
use serde::Serialize;
use service::{Exit, Settings};

use crate::context::{Context, seconds};
use crate::error::Error;
use crate::migration::{Migration, Moved, Plan, QueueMap};
use crate::output;

/// How many deferred or parked messages are counted at most.
const MOST: usize = 10_000;

/// Move or copy messages from one broker to another
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac migrate redis://old/0 redis://new/0 -a
  celeriac migrate redis://localhost/0 sqlite:data/celeriac.db -Q mail -a
  celeriac migrate redis://old/0 redis://new/0 -Q mail:letters -T proj.send

Without -a messages are copied: they stay in the source, as with Celery. With
-a each leaves the source once the destination has confirmed it: when the move
is interrupted nothing is lost, and at most one batch of 100 is in both. What a
killed move held is back in the source within two leases (a minute), when a
worker of ours or the next migrate looks after it.

Body and headers stay as they are, byte for byte and value for value; only the
transport's own properties are new. A message goes straight to its queue at the
destination. What waits for its time, is held by a worker or is parked stays:
stop the workers of the source first. Stop with Ctrl-C at any time.")]
pub(crate) struct Args {
    /// The broker to take from
    source: String,
    /// The broker to put to
    destination: String,
    /// Take them out of the source
    #[arg(short, long)]
    ack_messages: bool,
    /// At most so many messages
    #[arg(short = 'n', long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// End when nothing has come for this long
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    timeout: Duration,
    /// Only these tasks
    #[arg(short = 'T', long, value_name = "A,B", value_delimiter = ',')]
    tasks: Vec<String>,
    /// Only these queues; FROM:TO gives one another name [default: all]
    #[arg(short = 'Q', long, value_name = "A,B:C", value_delimiter = ',')]
    queues: Vec<QueueMap>,
    /// Go on until stopped
    #[arg(short = 'F', long)]
    forever: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    messages: u64,
    queues: BTreeMap<String, u64>,
    other_tasks: u64,
    unreadable: u64,
    left_deferred: usize,
    left_parked: usize,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let source = with_broker(context, &args.source, "SOURCE")?;
    let destination = with_broker(context, &args.destination, "DESTINATION")?;
    if let Some(path) = service::missing_broker_file(&source) {
        let path = path.display();
        return Err(Error::NotFound(format!(
            "{path} is not there: nothing to migrate"
        )));
    }
    let from = service::open_once(&source).await?;
    let to = service::open_once(&destination).await?;
    let queues = if args.queues.is_empty() {
        let all = from.admin.queues().await?;
        all.into_iter().map(QueueMap::same).collect()
    } else {
        args.queues
    };
    let same_names = queues.iter().any(QueueMap::is_same);
    if args.source == args.destination && same_names {
        let text = "source and destination are the same queue of the same broker";
        return Err(Error::Usage(text.to_owned()));
    }
    let plan = Plan {
        queues,
        tasks: args.tasks,
        limit: args.limit.unwrap_or(u64::MAX),
        patience: (!args.forever).then_some(args.timeout),
        ack: args.ack_messages,
        tell: !context.quiet && !context.json,
    };
    let moved = if plan.queues.is_empty() {
        Moved::default()
    } else {
        Migration::open(&source, &*from.broker, &*to.broker, plan)
            .await?
            .run()
            .await?
    };
    let report = report(moved, &*from.admin).await?;
    from.broker.close().await;
    to.broker.close().await;
    show(&report, args.ack_messages, context);
    Ok(Exit::Ok)
}

/// The settings with another broker, and without results.
fn with_broker(context: &Context, url: &str, name: &'static str) -> Result<Settings, Error> {
    let mut sources = context.sources.clone();
    let values = [("broker_url", url), ("result_backend", "disabled:")];
    let overrides = values.map(|(setting, value)| (setting, name, value.to_owned()));
    sources.overrides.extend(overrides);
    Ok(Settings::load(&sources)?)
}

async fn report(moved: Moved, source: &dyn Admin) -> Result<Report, Error> {
    Ok(Report {
        messages: moved.queues.values().sum(),
        queues: moved.queues,
        other_tasks: moved.other_tasks,
        unreadable: moved.unreadable,
        left_deferred: source.deferred(MOST).await?.len(),
        left_parked: source.parked(MOST).await?.len(),
    })
}

fn show(report: &Report, moved: bool, context: &Context) {
    if context.json {
        return output::json(report);
    }
    let queues = report.queues.iter();
    let rows = queues.map(|(queue, count)| vec![queue.clone(), count.to_string()]);
    let header = if moved { "moved" } else { "copied" };
    output::table(&["queue", header], rows.collect(), "nothing to migrate");
    let left = [
        (report.other_tasks, "of other tasks"),
        (report.unreadable, "that cannot be read"),
        (report.left_deferred as u64, "waiting for their time"),
        (report.left_parked as u64, "parked"),
    ];
    for (count, what) in left.into_iter().filter(|(count, _)| *count > 0) {
        eprintln!("note: {count} messages {what} stay in the source");
    }
    if !moved && report.messages > 0 && !context.quiet {
        eprintln!("note: copied; all messages stay in the source too (-a takes them out)");
    }
}

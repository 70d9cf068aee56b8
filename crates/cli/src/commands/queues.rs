//! `celeriac queues`.

use std::collections::BTreeMap;

use broker::{Admin, WorkerLease};
use serde::Serialize;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// How many deferred or parked messages are looked at.
const MOST: usize = 10_000;

/// Show how full queues are, and who holds messages
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac queues
  celeriac queues --json | jq '.queues[] | select(.ready > 1000)'
Of deferred and parked messages at most 10,000 are counted.")]
pub(crate) struct Args {
    /// Only these queues [default: all]
    #[arg(short = 'Q', long, value_name = "A,B", value_delimiter = ',')]
    queues: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Overview {
    queues: BTreeMap<String, Queue>,
    workers: Vec<Worker>,
}

#[derive(Debug, Default, Serialize)]
struct Queue {
    ready: u64,
    by_priority: BTreeMap<u8, u64>,
    deferred: u64,
    parked: u64,
}

#[derive(Debug, Serialize)]
struct Worker {
    node: String,
    incarnation: String,
    renewed: String,
    held: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let admin = context.backends().await?.admin;
    let mut queues = count(&*admin, &args.queues).await?;
    if !args.queues.is_empty() {
        queues.retain(|name, _| args.queues.contains(name));
    }
    let workers = admin
        .workers()
        .await?
        .into_iter()
        .map(Worker::from)
        .collect();
    show(&Overview { queues, workers }, context.json);
    Ok(Exit::Ok)
}

async fn count(admin: &dyn Admin, wanted: &[String]) -> Result<BTreeMap<String, Queue>, Error> {
    let names = if wanted.is_empty() {
        admin.queues().await?
    } else {
        wanted.to_vec()
    };
    let mut queues: BTreeMap<String, Queue> = BTreeMap::new();
    for depth in admin.depth(&names).await? {
        let ready = depth.ready();
        let by_priority = depth.by_priority.into_iter().collect();
        queues.insert(
            depth.queue,
            Queue {
                ready,
                by_priority,
                ..Queue::default()
            },
        );
    }
    for deferred in admin.deferred(MOST).await? {
        queues.entry(deferred.queue).or_default().deferred += 1;
    }
    for parked in admin.parked(MOST).await? {
        queues.entry(parked.queue).or_default().parked += 1;
    }
    Ok(queues)
}

impl From<WorkerLease> for Worker {
    fn from(lease: WorkerLease) -> Self {
        let WorkerLease {
            node,
            incarnation,
            renewed,
            held,
        } = lease;
        Self {
            node,
            incarnation,
            renewed: renewed.to_string(),
            held,
        }
    }
}

fn show(overview: &Overview, json: bool) {
    if json {
        return output::json(overview);
    }
    let rows = overview
        .queues
        .iter()
        .map(|(name, queue)| queue_row(name, queue));
    let headers = ["queue", "ready", "by priority", "deferred", "parked"];
    output::table(&headers, rows.collect(), "there are no queues yet");
    let rows = overview.workers.iter().map(|worker| {
        let held = worker.held.map(|held| held.to_string()).unwrap_or_default();
        vec![worker.node.clone(), held, worker.renewed.clone()]
    });
    output::line("");
    output::table(
        &["node", "held", "lease renewed"],
        rows.collect(),
        "no worker has a lease",
    );
}

fn queue_row(name: &str, queue: &Queue) -> Vec<String> {
    let steps = queue
        .by_priority
        .iter()
        .map(|(priority, count)| format!("{priority}: {count}"));
    let steps = steps.collect::<Vec<_>>().join(", ");
    let count = |number: u64| number.to_string();
    vec![
        name.to_owned(),
        count(queue.ready),
        steps,
        count(queue.deferred),
        count(queue.parked),
    ]
}

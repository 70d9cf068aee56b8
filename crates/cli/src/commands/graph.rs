//! `celeriac graph`.

use protocol::{Map, Value};
use service::Exit;
use service::settings::mask_urls;

use super::remote::Addressees;
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Runs shown for each worker; the rest is one node that says how many.
const MOST_SLOTS: u64 = 3;

/// A worker's components and which hands to which, as `worker::Worker` starts them.
const COMPONENTS: &[(&str, &str)] = &[
    ("broker", "consumer"),
    ("consumer", "intake"),
    ("intake", "executor"),
    ("executor", "acknowledger"),
    ("acknowledger", "broker"),
    ("acknowledger", "results"),
    ("executor", "events"),
    ("heartbeat", "events"),
    ("events", "broker"),
    ("broker", "control"),
    ("control", "executor"),
];

/// Draw workers as a graph, in DOT
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac graph workers | dot -Tsvg > workers.svg
  celeriac graph bootsteps | dot -Tpng > worker.png")]
pub(crate) enum Args {
    /// The components of a worker and what they hand to each other
    Bootsteps,
    /// The workers that answer, with their slots, broker and result backend
    Workers {
        #[command(flatten)]
        addressees: Addressees,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let edges = match args {
        Args::Bootsteps => edges(COMPONENTS.iter().copied()),
        Args::Workers { addressees } => {
            let client = context.client().await?;
            let stats = addressees.ask(&client, "stats", Map::new()).await?;
            let stats = stats
                .iter()
                .map(|reply| (reply.node.as_str(), slots(&reply.value)));
            workers(&stats.collect::<Vec<_>>(), context)
        }
    };
    output::line("digraph celeriac {\n    rankdir=LR;\n    node [shape=box];");
    edges.iter().for_each(|edge| output::line(edge));
    output::line("}");
    Ok(Exit::Ok)
}

/// How many tasks a worker runs at once.
fn slots(stats: &Value) -> u64 {
    let pool = stats.get("pool");
    let slots = pool.and_then(|pool| pool.get("max-concurrency")?.as_i64());
    slots.unwrap_or_default().unsigned_abs()
}

fn workers(workers: &[(&str, u64)], context: &Context) -> Vec<String> {
    let broker = context.settings.broker_urls().into_iter().next();
    let broker = mask_urls(&broker.unwrap_or_default());
    let backend = context
        .settings
        .get("result_backend")
        .as_str()
        .map(mask_urls);
    let mut lines = vec![format!("    {} [shape=cylinder];", quoted(&broker))];
    if let Some(backend) = backend.as_deref().filter(|backend| *backend != broker) {
        lines.push(format!("    {} [shape=cylinder];", quoted(backend)));
    }
    for (node, slots) in workers {
        lines.push(edge(&broker, node));
        if let Some(backend) = &backend {
            lines.push(edge(node, backend));
        }
        lines.extend(slot_lines(node, *slots));
    }
    lines
}

fn slot_lines(node: &str, slots: u64) -> Vec<String> {
    let shown = if slots > MOST_SLOTS {
        MOST_SLOTS - 1
    } else {
        slots
    };
    let mut names: Vec<_> = (1..=shown).map(|slot| format!("slot {slot}")).collect();
    if shown < slots {
        names.push(format!("{} more slots", slots - shown));
    }
    let line = |name: String| {
        // Nodes of one name are one node: the worker's name keeps those of different workers apart.
        let id = quoted(&format!("{node} {name}"));
        let (node, label) = (quoted(node), quoted(&name));
        format!("    {id} [label={label}, shape=oval];\n    {node} -> {id} [arrowhead=none];")
    };
    names.into_iter().map(line).collect()
}

fn edges<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    pairs.map(|(from, to)| edge(from, to)).collect()
}

fn edge(from: &str, to: &str) -> String {
    format!("    {} -> {};", quoted(from), quoted(to))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

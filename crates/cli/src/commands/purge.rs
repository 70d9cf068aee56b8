//! `celeriac purge`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Delete what is ready in queues
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac purge -Q analytics         asks before it deletes
  celeriac purge -f                   every queue, without asking
What is being run, waits for its time or is parked is not touched.")]
pub(crate) struct Args {
    /// Only these queues [default: all]
    #[arg(short = 'Q', long, value_name = "A,B", value_delimiter = ',')]
    queues: Vec<String>,
    /// Not these queues
    #[arg(short = 'X', long, value_name = "A,B", value_delimiter = ',')]
    exclude_queues: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let admin = context.backends().await?.admin;
    let queues = if args.queues.is_empty() {
        admin.queues().await?
    } else {
        args.queues
    };
    let chosen = queues
        .into_iter()
        .filter(|queue| !args.exclude_queues.contains(queue));
    let queues: Vec<_> = chosen.collect();
    if !args.force && !confirm(&queues)? {
        return Ok(Exit::Failure);
    }
    let mut purged = BTreeMap::new();
    for queue in queues {
        let messages = admin.purge(&queue).await?;
        purged.insert(queue, messages);
    }
    show(&purged, context.json);
    Ok(Exit::Ok)
}

fn confirm(queues: &[String]) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::Usage(
            "there is nobody to ask; use --force".to_owned(),
        ));
    }
    let read = |source| Error::Io {
        what: "cannot ask".to_owned(),
        source,
    };
    let question = format!("Delete all ready messages of {}? [y/N] ", queues.join(", "));
    let mut screen = std::io::stdout();
    let asked = screen.write_all(question.as_bytes());
    asked.and_then(|()| screen.flush()).map_err(read)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(read)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn show(purged: &BTreeMap<String, u64>, json: bool) {
    if json {
        return output::json(purged);
    }
    let rows = purged
        .iter()
        .map(|(queue, messages)| vec![queue.clone(), messages.to_string()]);
    output::table(&["queue", "deleted"], rows.collect(), "there are no queues");
}

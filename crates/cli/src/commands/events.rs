//! `celeriac events`.

use std::io::{self, IsTerminal};
use std::time::Duration;

use service::Exit;
use service::settings::mask_urls;

use crate::context::{Context, seconds};
use crate::error::Error;
use crate::events::{camera, dump, screen};

/// Watch workers, queues and tasks live
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac events                    a live screen; ? shows its keys
  celeriac events --dump             one line for each event, as Celery prints
  celeriac events --dump --json | jq 'select(.type == \"task-failed\")'
  celeriac events --camera -F 10     a JSON line every ten seconds

Workers tell about tasks when they were started with -E, or after
celeriac control enable_events. What was heard of longest ago is forgotten:
10,000 tasks and 5,000 workers are remembered.

The camera writes lines for other programs; camera classes of Celery are
Python and cannot be loaded.")]
pub(crate) struct Args {
    /// Print each event as a line
    #[arg(short, long, conflicts_with = "camera")]
    dump: bool,
    /// Print a snapshot every so often, as a line of JSON
    #[arg(short, long)]
    camera: bool,
    /// How often the camera takes one
    #[arg(
        short = 'F',
        long,
        alias = "freq",
        value_name = "SECONDS",
        default_value = "1",
        value_parser = seconds
    )]
    frequency: Duration,
}

impl Args {
    /// Whether it takes over the terminal: then nothing else may be written to it.
    pub(super) fn is_screen(&self) -> bool {
        !self.dump && !self.camera
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    if args.is_screen() && context.json {
        return Err(Error::Usage("--json goes with --dump".to_owned()));
    }
    if args.is_screen() && !io::stdout().is_terminal() {
        let text = "there is no terminal to draw on; use --dump or --camera";
        return Err(Error::Usage(text.to_owned()));
    }
    if args.frequency.is_zero() {
        return Err(Error::Usage("--frequency must be above 0".to_owned()));
    }
    let client = context.client().await?;
    let written = if args.dump {
        dump::dump(client.events("#").await?, context.json).await
    } else if args.camera {
        camera::shoot(client.events("#").await?, args.frequency).await
    } else {
        let broker = context.settings.broker_urls().into_iter().next();
        let broker = mask_urls(&broker.unwrap_or_default());
        screen::run(client, broker, !context.no_color).await?;
        Ok(())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Io {
            what: "cannot write".to_owned(),
            source: error,
        }),
        _ => Ok(Exit::Ok),
    }
}

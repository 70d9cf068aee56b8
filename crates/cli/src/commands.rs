//! The commands, one file each: options and what they do.

pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod control;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod finance;
pub(crate) mod graph;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod message;
pub(crate) mod migrate;
pub(crate) mod migrate_schedule;
pub(crate) mod outbox;
pub(crate) mod parked;
pub(crate) mod purge;
pub(crate) mod queues;
pub(crate) mod remote;
pub(crate) mod report;
pub(crate) mod result;
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod up;
pub(crate) mod worker;

pub(crate) use schedule::Schedule;
use service::{Exit, Program, Settings};

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::error::Error;

/// Runs the command; errors become exit codes in `main`.
pub(crate) fn run(cli: Cli) -> Result<Exit, Error> {
    if let Command::Completions(args) = cli.command {
        return completions::run(args);
    }
    if !matches!(&cli.command, Command::Events(args) if args.is_screen()) {
        service::log_warnings();
    }
    if let Some(folder) = &cli.habits.workdir {
        std::env::set_current_dir(folder).map_err(|source| Error::Io {
            what: format!("cannot change to {}", folder.display()),
            source,
        })?;
    }
    let more = match &cli.command {
        Command::Up(args) => args.overrides(),
        _ => Vec::new(),
    };
    let sources = Program::new("celeriac", &cli.common, more)?.sources;
    let context = Context {
        settings: Settings::load(&sources)?,
        json: cli.json,
        quiet: cli.habits.quiet,
        no_color: cli.habits.no_color || std::env::var_os("NO_COLOR").is_some(),
        sources,
    };
    let runtime = tokio::runtime::Runtime::new().map_err(service::Error::program)?;
    let outcome = runtime.block_on(dispatch(cli.command, context));
    runtime.shutdown_background();
    outcome
}

async fn dispatch(command: Command, context: Context) -> Result<Exit, Error> {
    match command {
        Command::Up(args) => up::run(args, context).await,
        Command::Worker(args) => worker::run(args, &context).await,
        Command::Call(args) => call::run(*args, &context).await,
        Command::Result(args) => result::run(args, &context).await,
        Command::Status(args) => status::run(args, &context).await,
        Command::Inspect(args) => inspect::run(args, &context).await,
        Command::Control(args) => control::run(args, &context).await,
        Command::Events(args) => events::run(args, &context).await,
        Command::Purge(args) => purge::run(args, &context).await,
        Command::Queues(args) => queues::run(args, &context).await,
        Command::List(args) => list::run(args, &context).await,
        Command::Migrate(args) => migrate::run(args, &context).await,
        Command::MigrateSchedule(args) => migrate_schedule::run(&args, &context).await,
        Command::Outbox(args) => outbox::run(args, &context).await,
        Command::Parked(args) => parked::run(args, &context).await,
        Command::Schedule(args) => schedule::run(args, &context).await,
        Command::Message(args) => message::run(args, &context).await,
        Command::Settings(args) => settings::run(&args, &context),
        Command::Doctor(args) => doctor::run(args, &context).await,
        Command::Report(args) => report::run(args, &context).await,
        Command::Graph(args) => graph::run(args, &context).await,
        Command::Completions(args) => completions::run(args),
        Command::Finance(args) => finance::run(args, &context).await,
    }
}

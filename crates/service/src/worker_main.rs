//! A worker's program: everything around a registry of tasks.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use broker::Backends;
use worker::{Registry, Worker, WorkerParams, WorkerSettings};

use crate::program::{Program, Service, print_error, run};
use crate::{Error, Settings, WorkerArgs, node, notify, parse};

/// Runs the worker program `name` with the tasks that `registry` gives; the whole of a worker's `main`.
pub fn worker_main<F, E>(name: &'static str, registry: F) -> ExitCode
where
    F: FnOnce(&Settings) -> Result<Registry, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut args = match parse::<WorkerArgs>(name) {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    let program = Program::new(name, &args.common, Vec::new()).map(|mut program| {
        args.fill_from(&program.sources.environment);
        args.log.expand(&args.node());
        program.sources.overrides.extend(args.overrides());
        program
    });
    run(program, |service| work(service, args, registry))
}

async fn work<F, E>(service: Service, args: WorkerArgs, registry: F) -> Result<(), Error>
where
    F: FnOnce(&Settings) -> Result<Registry, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let registry = registry(&service.settings).map_err(Error::program)?;
    let settings = args.apply(service.settings.worker_settings()?);
    if args.purge {
        purge(&service.backends, &settings.queues).await?;
    }
    Ok(())
}

//! A worker's child process: the same program with the same options and settings, which runs what its worker sends it.

use std::process::ExitCode;
use std::sync::Arc;

use client::Client;
use tokio::runtime::{Builder, Runtime};
use worker::{ChildParams, OpenClient, Registry, run_child};

use crate::program::{LINGER, Program, print_error, start};
use crate::telemetry::TraceContext;
use crate::worker_main::worker_settings;
use crate::{Error, Settings, WorkerArgs, error_text, open};

/// The whole of a child's `main`.
pub(crate) fn main<F, E>(
    program: Result<Program, Error>,
    args: &WorkerArgs,
    registry: F,
) -> ExitCode
where
    F: FnOnce(&Settings) -> Result<Registry, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return print_error(&error),
    };
    let exit = runtime.block_on(async {
        let (environment, (settings, telemetry)) = match program {
            Ok(program) => (program.sources.environment.clone(), start(Ok(program))?),
            Err(error) => return Err(error),
        };
        let ended = work(settings, args, &environment, registry).await;
        if let Err(error) = &ended {
            tracing::error!("{}", error_text(error));
        }
        telemetry.shutdown().await;
        ended
    });
    runtime.shutdown_timeout(LINGER);
    match exit {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => print_error(&error),
    }
}

/// One thread beside the main thread, which runs the tasks: children are many and must be small.
fn runtime() -> Result<Runtime, Error> {
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    built.map_err(Error::program)
}

async fn work<F, E>(
    settings: Settings,
    args: &WorkerArgs,
    environment: &crate::settings::Environment,
    registry: F,
) -> Result<(), Error>
where
    F: FnOnce(&Settings) -> Result<Registry, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut registry = registry(&settings).map_err(Error::program)?;
    settings.annotate(&mut registry)?;
    let child = ChildParams {
        registry,
        settings: worker_settings(&settings, args, environment)?,
        hooks: vec![Arc::new(TraceContext)],
        client: client_of(settings),
    };
    Ok(run_child(child).await?)
}

/// Connects when the first task comes: a child that was never needed has no connection.
fn client_of(settings: Settings) -> OpenClient {
    Box::new(move || {
        Box::pin(async move {
            let backends = open(&settings).await?;
            Ok(Client::new(backends, settings.client_options()?))
        })
    })
}

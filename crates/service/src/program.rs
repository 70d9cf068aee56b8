//! A whole program around what it does: settings, logs, signals, backends, systemd, exit code.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use broker::Backends;
use client::Client;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use worker::Shutdown;

use crate::http::Server;
use crate::restart::restart;
use crate::settings::{Environment, Sources};
use crate::signals::{self, Signals};
use crate::{CommonArgs, Error, Exit, Settings, Telemetry, error_text, notify, open};

/// How long blocking work may keep the process after everything else has ended.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// Which program, and what its command line sets.
#[derive(Debug)]
pub struct Program {
    /// Its name, as traces call it.
    pub name: &'static str,
    /// Where settings are read from.
    pub sources: Sources,
    /// What it answers over HTTP, if `celeriac_http_address` says where; also while it waits for its broker.
    pub routes: Option<Router>,
}

impl Program {
    /// A program with its common options and further ones (setting, option, value); reads `.env` and the environment.
    ///
    /// # Errors
    /// When `.env` cannot be read or understood.
    pub fn new(
        name: &'static str,
        common: &CommonArgs,
        more: Vec<(&'static str, &'static str, String)>,
    ) -> Result<Self, Error> {
        let folder = std::env::current_dir().unwrap_or_default();
        let environment = Environment::read(&folder)?;
        let overrides = common.overrides().into_iter().chain(more).collect();
        let sources = Sources {
            folder,
            config: common.config.clone(),
            environment,
            overrides,
        };
        Ok(Self {
            name,
            sources,
            routes: None,
        })
    }
}

/// What a running program has at hand.
#[derive(Debug)]
pub struct Service {
    /// The settings in force.
    pub settings: Settings,
    /// What the URLs named.
    pub backends: Backends,
    /// Says when to end; driven by signals.
    pub shutdown: Shutdown,
    /// Notified when somebody wants to know what the program is doing.
    pub report: Arc<Notify>,
}

impl Service {
    /// A client on these backends, sending as configured.
    ///
    /// # Errors
    /// When a setting of the producer's side is wrong.
    pub fn client(&self) -> Result<Client, Error> {
        Ok(Client::new(
            self.backends.clone(),
            self.settings.client_options()?,
        ))
    }
}

/// Runs a program that stays: loads settings, starts logs, listens to signals, opens the backends, runs `body`
/// until it returns, closes everything, and gives the exit code. Errors are logged, or printed while there is no log.
/// After a SIGHUP the program begins anew instead.
pub fn run<F, Fut>(program: Result<Program, Error>, body: F) -> ExitCode
where
    F: FnOnce(Service) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return print_error(&Error::program(error)),
    };
    let (program, routes) = match program {
        Ok(mut program) => {
            let routes = program.routes.take();
            (Ok(program), routes)
        }
        Err(error) => (Err(error), None),
    };
    let ending = runtime.block_on(async {
        match start(program) {
            Ok((settings, telemetry)) => supervise(settings, telemetry, routes, body).await,
            Err(error) => Ending::Exit(print_error(&error)),
        }
    });
    runtime.shutdown_timeout(LINGER);
    match ending {
        Ending::Exit(exit) => exit,
        Ending::Restart => print_error(&Error::program(restart())),
    }
}

/// What follows the end of a program.
enum Ending {
    Exit(ExitCode),
    Restart,
}

/// Loads the settings and starts the logs.
pub(crate) fn start(program: Result<Program, Error>) -> Result<(Settings, Telemetry), Error> {
    let program = program?;
    let settings = Settings::load(&program.sources)?;
    let telemetry = Telemetry::start(program.name, &settings)?;
    Ok((settings, telemetry))
}

async fn supervise<F, Fut>(
    settings: Settings,
    telemetry: Telemetry,
    routes: Option<Router>,
    body: F,
) -> Ending
where
    F: FnOnce(Service) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    let ended = serve(settings, routes, body).await;
    let ending = match &ended {
        Ok(signals) if signals.wants_restart() => Ending::Restart,
        Ok(_) => Ending::Exit(Exit::Ok.into()),
        Err(error) => {
            tracing::error!("{}", error_text(error));
            Ending::Exit(error.exit().into())
        }
    };
    telemetry.shutdown().await;
    ending
}

async fn serve<F, Fut>(
    settings: Settings,
    routes: Option<Router>,
    body: F,
) -> Result<Signals, Error>
where
    F: FnOnce(Service) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    announce(&settings);
    let signals = signals::listen()?;
    let _answering = answer(&settings, routes).await?;
    let opening = open(&settings);
    let backends = tokio::select! {
        backends = opening => backends?,
        () = signals.shutdown.requested() => return Ok(signals),
    };
    if backends.results.is_none() {
        tracing::info!("result_backend is not set: results are not kept");
    }
    let broker = backends.broker.clone();
    tokio::spawn(announce_end(signals.clone()));
    let ended = body(Service {
        settings,
        backends,
        shutdown: signals.shutdown.clone(),
        report: Arc::clone(&signals.report),
    })
    .await;
    broker.close().await;
    ended.map(|()| signals)
}

/// Answers HTTP with these routes, where the settings say, until what it returns is dropped.
async fn answer(settings: &Settings, routes: Option<Router>) -> Result<DropGuard, Error> {
    let over = CancellationToken::new();
    if let Some(routes) = routes
        && let Some(server) = Server::open(settings).await?
    {
        tokio::spawn(server.run(routes, over.clone()));
    }
    Ok(over.drop_guard())
}

/// Tells systemd as soon as the end begins: what still runs may take its time.
async fn announce_end(signals: Signals) {
    signals.shutdown.requested().await;
    if signals.wants_restart() {
        notify::reloading();
    } else {
        notify::stopping();
    }
}

fn announce(settings: &Settings) {
    if let Some(path) = settings.file() {
        tracing::info!(file = %path.display(), "settings read");
    }
    for (entry, why) in settings.ignored() {
        tracing::warn!(setting = entry.setting.name, from = %entry.origin, "has no effect: {why}");
    }
}

/// Prints the error as a program does that has no log, and gives its exit code.
pub(crate) fn print_error(error: &Error) -> ExitCode {
    eprintln!("error: {}", error_text(error));
    error.exit().into()
}

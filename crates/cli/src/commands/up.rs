//! `celeriac up`.

use std::path::PathBuf;

use service::{CommonArgs, Exit};

use crate::context::Context;
use crate::demo::Demo;
use crate::error::Error;
use crate::services::{Environment, Manager, Services};

/// Run workers and beat on this machine until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac up
  celeriac up --broker redis://localhost/0 -l WARNING
  celeriac up --demo --data /tmp/demo           a sample portfolio, refreshed at once and then by schedule
Services are processes of their own, started again with growing pauses when they end. Their log goes to standard
error, each line with the service's name; what tasks print goes to standard output as it is. Ctrl-C stops warm:
running tasks are finished. A second one stops cold: they are given back.
Which services there are is the setting celeriac_services:
  [celeriac_services.worker-analytics]
  command = \"celeriac-worker-analytics\"
  queues = [\"analytics\", \"market_data\"]
  concurrency = 4")]
pub(crate) struct Args {
    /// Install a sample portfolio and refresh its analytics at once
    #[arg(long)]
    demo: bool,
    /// With --demo: end after the first refresh
    #[arg(long, requires = "demo")]
    once: bool,
    /// The folder for databases and state [default: celeriac_data_folder]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// DEBUG, INFO, WARNING, ERROR, CRITICAL or FATAL, for all services
    #[arg(short, long, value_name = "LEVEL")]
    loglevel: Option<String>,
}

impl Args {
    /// The settings that these options set.
    pub(super) fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let data = self
            .data
            .as_ref()
            .map(|folder| folder.display().to_string());
        let data = data.map(|folder| ("celeriac_data_folder", "--data", folder));
        let level = self.loglevel.as_ref().map(|level| level.to_uppercase());
        let level = level.map(|level| ("celeriac_log_level", "--loglevel", level));
        data.into_iter().chain(level).collect()
    }
}

pub(crate) async fn run(args: Args, context: Context, common: &CommonArgs) -> Result<Exit, Error> {
    let services = Services::read(&context.settings)?;
    if context
        .settings
        .broker_urls()
        .iter()
        .any(|url| url.starts_with("memory:"))
    {
        let text = "memory:// is for one process; services need sqlite: or redis://";
        return Err(Error::Usage(text.to_owned()));
    }
    let mut environment = environment(common);
    environment.extend(variables(&args.overrides()));
    if !args.demo {
        return run_until_stopped(&services, &environment).await;
    }
    let demo = Demo::prepare(context).await?;
    environment.extend(variables(&demo.overrides()));
    let stop = service::listen()?;
    let manager = Manager::start(&services, &environment, stop.clone())?;
    // Meanwhile services that cannot be helped must be able to end the demo.
    let running = tokio::spawn(manager.wait());
    let refreshed = tokio::select! {
        refreshed = demo.refresh() => refreshed,
        () = stop.requested() => Ok(()),
    };
    if args.once || refreshed.is_err() {
        stop.warm.cancel();
    }
    let exit = running.await.map_err(service::Error::program)?;
    refreshed.map(|()| exit)
}

/// Keeps these services running until they are stopped, with the settings of this command line.
pub(super) async fn keep_running(services: &Services, common: &CommonArgs) -> Result<Exit, Error> {
    run_until_stopped(services, &environment(common)).await
}

async fn run_until_stopped(services: &Services, environment: &Environment) -> Result<Exit, Error> {
    let stop = service::listen()?;
    let manager = Manager::start(services, environment, stop.clone())?;
    service::notify::ready(&format!("{} services", services.0.len()));
    let alive = std::sync::Arc::new(|_| true);
    tokio::spawn(service::notify::watchdog(alive, stop.warm.clone()));
    let exit = manager.wait().await;
    service::notify::stopping();
    Ok(exit)
}

/// What the command line sets, as variables: passwords in URLs must not show in a list of processes.
pub(super) fn environment(common: &CommonArgs) -> Environment {
    let config = common
        .config
        .as_ref()
        .map(|path| path.display().to_string());
    let config = config.map(|path| ("CELERIAC_CONFIG".to_owned(), path));
    config
        .into_iter()
        .chain(variables(&common.overrides()))
        .collect()
}

fn variables(overrides: &[(&'static str, &'static str, String)]) -> Environment {
    let variable = |name: &str| match name.starts_with("celeriac_") {
        true => name.to_uppercase(),
        false => format!("CELERY_{}", name.to_uppercase()),
    };
    overrides
        .iter()
        .map(|(name, _, value)| (variable(name), value.clone()))
        .collect()
}

//! `celeriac up`.

use std::path::PathBuf;

use service::Exit;

use crate::context::Context;
use crate::demo::Demo;
use crate::error::Error;
use crate::services::{Manager, Services};

/// Run workers and beat on this machine until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac up
  celeriac up --broker redis://localhost/0 -l WARNING
  celeriac up --demo --data /tmp/demo      a sample portfolio, refreshed at once

Services are processes of their own, started again with growing pauses when
they end. Their log goes to standard error, each line with the service's name;
what tasks print goes to standard output as it is. Ctrl-C stops warm: running
tasks are finished. A second one stops cold: they are given back.

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

pub(crate) async fn run(args: Args, context: Context) -> Result<Exit, Error> {
    let mut brokers = context.settings.broker_urls().into_iter();
    if brokers.any(|url| url.starts_with("memory:")) {
        let text = "memory:// is for one process; services need sqlite: or redis://";
        return Err(Error::Usage(text.to_owned()));
    }
    if args.demo {
        return run_demo(Demo::prepare(context).await?, args.once).await;
    }
    keep_running(&Services::read(&context.settings)?, &context).await
}

async fn run_demo(demo: Demo, once: bool) -> Result<Exit, Error> {
    let services = Services::read(&demo.context.settings)?;
    let stop = service::listen()?.shutdown;
    let manager = Manager::start(&services, &demo.context.environment(), stop.clone())?;
    let printed = manager.printed();
    // Meanwhile services that cannot be helped must be able to end the demo.
    let running = tokio::spawn(manager.wait());
    let refreshed = tokio::select! {
        refreshed = demo.refresh(&printed) => refreshed,
        () = stop.requested() => Ok(()),
    };
    if once || refreshed.is_err() {
        stop.warm.cancel();
    }
    if !stop.is_requested() {
        demo.suggest();
    }
    let exit = running.await.map_err(service::Error::program)?;
    refreshed.map(|()| exit)
}

/// Keeps these services running until they are stopped, with the settings of this command line.
pub(super) async fn keep_running(services: &Services, context: &Context) -> Result<Exit, Error> {
    let stop = service::listen()?.shutdown;
    let manager = Manager::start(services, &context.environment(), stop.clone())?;
    service::notify::ready(&format!("{} services", services.0.len()));
    let alive = std::sync::Arc::new(|_| true);
    tokio::spawn(service::notify::watchdog(alive, stop.warm.clone()));
    let exit = manager.wait().await;
    service::notify::stopping();
    Ok(exit)
}

//! `celeriac up`.

use std::path::PathBuf;

use broker::WorkerLease;
use jiff::Timestamp;
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
        let demo = Demo::prepare(context).await?;
        preflight(&demo.context).await?;
        return run_demo(demo, args.once).await;
    }
    preflight(&context).await?;
    keep_running(&Services::read(&context.settings)?, &context).await
}

/// What would only be found out by each service on its own, again and again: a broker that refuses, a folder that cannot
/// be written to. A broker that does not answer yet is waited for by the services themselves.
async fn preflight(context: &Context) -> Result<(), Error> {
    let backends = match service::open_once(&context.settings).await {
        Ok(backends) => backends,
        Err(error) if error.exit() == Exit::Unavailable => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let leases = backends.admin.workers().await?;
    backends.broker.close().await;
    let services = Services::read(&context.settings)?;
    for node in doubles(&services, &leases, context) {
        eprintln!(
            "note: {node} runs on this broker already, or was killed just now; nodes of one name cannot be told apart: \
             celeriac_services gives services other names"
        );
    }
    Ok(())
}

/// The nodes that would be there twice.
fn doubles(services: &Services, leases: &[WorkerLease], context: &Context) -> Vec<String> {
    let lease = context.settings.seconds("celeriac_lease_seconds");
    let lease = lease.unwrap_or_default().as_secs_f64();
    let now = Timestamp::now();
    let is_alive = |held: &&WorkerLease| now.duration_since(held.renewed).as_secs_f64() <= lease;
    let host = service::host_name();
    let workers = services.0.iter().filter(|service| service.is_worker());
    let nodes = workers.map(|service| format!("{}@{host}", service.name));
    let alive: Vec<_> = leases.iter().filter(is_alive).collect();
    nodes
        .filter(|node| alive.iter().any(|held| held.node == *node))
        .collect()
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

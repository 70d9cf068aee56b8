//! All services together: started in order, stopped together, one exit code.

use std::sync::Arc;

use service::{Exit, Shutdown};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::child::{Ended, Launch};
use super::lines::{Color, Printer};
use super::table::{Services, locate};
use crate::error::Error;

/// Variables that every service gets on top of the manager's own.
pub(crate) type Environment = Vec<(String, String)>;

/// The running services.
#[derive(Debug)]
pub(crate) struct Manager {
    services: JoinSet<Ended>,
    stop: Shutdown,
    printer: Printer,
    printed: Arc<Notify>,
}

impl Manager {
    /// Starts all services.
    ///
    /// # Errors
    /// When a program is not found; then none is started.
    pub(crate) fn start(
        services: &Services,
        environment: &Environment,
        stop: Shutdown,
    ) -> Result<Self, Error> {
        let width = services
            .0
            .iter()
            .map(|service| service.name.len())
            .max()
            .unwrap_or(0)
            .max(8);
        let printer = Printer::new("celeriac", width, Color::of(services.0.len()));
        let printed = Arc::<Notify>::default();
        let prepared = services.0.iter().enumerate().map(|(index, service)| {
            Ok(Launch {
                program: locate(&service.command)?,
                arguments: service.arguments(),
                environment: environment.clone(),
                printer: Printer::new(&service.name, width, Color::of(index)),
                printed: printed.clone(),
            })
        });
        let launches = prepared.collect::<Result<Vec<_>, Error>>()?;
        let mut running = JoinSet::new();
        for (launch, service) in launches.into_iter().zip(&services.0) {
            printer.say(&format!("starting {}", service.name));
            running.spawn(launch.keep_running(stop.clone()));
        }
        Ok(Self {
            services: running,
            stop,
            printer,
            printed,
        })
    }

    /// Is notified after each line that a task has printed, when it is on the screen.
    pub(crate) fn printed(&self) -> Arc<Notify> {
        self.printed.clone()
    }

    /// Waits until all services have ended. One that cannot be helped ends them all.
    pub(crate) async fn wait(mut self) -> Exit {
        let mut exit = Exit::Ok;
        let announced = tokio::spawn(announce_stop(self.stop.clone(), self.printer.clone()));
        while let Some(ended) = self.services.join_next().await {
            match ended {
                Ok(Ended::Clean) => {}
                Ok(Ended::Hopeless(why)) => {
                    exit = why;
                    self.stop.warm.cancel();
                }
                Ok(Ended::Failed) | Err(_) if exit == Exit::Ok => exit = Exit::Failure,
                Ok(Ended::Failed) | Err(_) => {}
            }
        }
        announced.abort();
        self.printer.say("all services have ended");
        exit
    }
}

async fn announce_stop(stop: Shutdown, printer: Printer) {
    stop.requested().await;
    printer.say("stopping: services finish what runs; Ctrl-C again stops cold");
    stop.hurried().await;
    printer.say(
        "stopping cold: what runs is given back, at the latest after worker_soft_shutdown_timeout",
    );
}

//! The worker as a program sees it: parameters in, one run until its shutdown.

mod banner;
mod beside;
mod lookout;
mod notices;
mod running;

use std::fmt;
use std::sync::Arc;

use client::Client;

use crate::engine::{Engine, Outlets};
use crate::{Health, Hook, Registry, Shutdown, WorkerError, WorkerSettings};
use banner::banner;
use running::Running;

/// What a [`Worker`] needs.
pub struct WorkerParams {
    /// Sends what tasks send; its backends are the worker's.
    pub client: Client,
    /// The tasks.
    pub registry: Registry,
    /// How to run.
    pub settings: WorkerSettings,
    /// Called around every run.
    pub hooks: Vec<Arc<dyn Hook>>,
    /// Called once, when the worker consumes.
    pub ready: Option<Box<dyn FnOnce() + Send>>,
}

impl fmt::Debug for WorkerParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerParams")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A worker that has not started yet.
pub struct Worker {
    engine: Arc<Engine>,
    outlets: Outlets,
    ready: Option<Box<dyn FnOnce() + Send>>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.engine.settings)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// Checks registry and settings.
    ///
    /// # Errors
    /// When a task name is registered twice, a rate limit cannot be read, or a setting makes no sense.
    pub fn new(params: WorkerParams) -> Result<Self, WorkerError> {
        params.registry.check()?;
        params.settings.check()?;
        params.settings.check_children(&params.registry)?;
        let WorkerParams {
            client,
            registry,
            settings,
            hooks,
            ready,
        } = params;
        let (engine, outlets) = Engine::new(client, registry, settings, hooks)?;
        Ok(Self {
            engine,
            outlets,
            ready,
        })
    }

    /// A handle for whoever watches the worker.
    pub fn health(&self) -> Health {
        Health(Arc::clone(&self.engine))
    }

    /// Consumes until asked to stop. When it returns, everything that was held and not finished is back in its queue.
    ///
    /// # Errors
    /// When the broker refuses what waiting does not mend: credentials, or a consumer that was closed by force.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), WorkerError> {
        let Self {
            engine,
            outlets,
            ready,
        } = self;
        let running = tokio::select! {
            running = Running::start(Arc::clone(&engine), outlets, &shutdown) => running?,
            // It holds nothing yet.
            () = shutdown.requested() => return Ok(()),
        };
        banner(&engine);
        if let Some(ready) = ready {
            ready();
        }
        running.until_stopped(&shutdown).await
    }
}

//! The worker as a program sees it: parameters in, one run until its shutdown.

mod banner;
mod running;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use broker::ChordStore;
use client::Client;
use protocol::Event;
use tokio::sync::mpsc;

use crate::acknowledger::Completion;
use crate::activity::Activity;
use crate::engine::Engine;
use crate::events::EventSender;
use crate::health::Vitals;
use crate::pools::PoolHandle;
use crate::revocations::Revocations;
use crate::settler::Following;
use crate::{Health, Hook, Registry, Shutdown, WorkerError, WorkerSettings};
use banner::banner;
use running::Running;

/// Settlements that may wait for the acknowledger.
const COMPLETIONS: usize = 4_096;

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
    /// What the acknowledger will read.
    completions: mpsc::Receiver<Completion>,
    /// What the publisher of events will read.
    events: mpsc::Receiver<Event>,
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
    /// When a task name is registered twice, or a setting makes no sense.
    pub fn new(mut params: WorkerParams) -> Result<Self, WorkerError> {
        params.registry.check()?;
        params.registry.add_builtins();
        params.settings.check()?;
        let WorkerParams {
            client,
            registry,
            settings,
            hooks,
            ready,
        } = params;
        let (sender, events) = EventSender::new(settings.worker_send_task_events);
        let (completer, completions) = mpsc::channel(COMPLETIONS);
        let results = client.backends().results.as_deref();
        let engine = Arc::new(Engine {
            following: Following::default(),
            stores_results: results.is_some(),
            counts_chords: results.is_some_and(ChordStore::joins_chords),
            pool: PoolHandle::new(&settings),
            settings,
            registry,
            client,
            hooks,
            revocations: Revocations::default(),
            activity: Activity::default(),
            vitals: Vitals::default(),
            events: sender,
            completions: completer,
            started: Instant::now(),
        });
        Ok(Self {
            engine,
            completions,
            events,
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
            completions,
            events,
            ready,
        } = self;
        let running = Running::start(Arc::clone(&engine), completions, events, &shutdown).await?;
        banner(&engine);
        if let Some(ready) = ready {
            ready();
        }
        running.until_stopped(&shutdown).await
    }
}

//! The worker: puts the components together, starts them, and stops them in the order that loses nothing.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Consumer, ConsumerParams, Notice};
use client::Client;
use protocol::event::Event;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::acknowledger::{Acknowledger, AcknowledgerParams, Completion};
use crate::activity::Activity;
use crate::control::Control;
use crate::engine::Engine;
use crate::events::{EventPublisher, EventSender};
use crate::executor::Executor;
use crate::heartbeat::{self, Pulse};
use crate::intake::{Intake, IntakeParams};
use crate::revocations::Revocations;
use crate::{Health, Hook, Pool, Registry, Shutdown, WorkerError, WorkerSettings};

/// Settlements that may wait for the acknowledger.
const COMPLETIONS: usize = 4_096;
/// Notices of the consumer that may wait to be logged.
const NOTICES: usize = 256;
/// How long giving back may take before it is left to the lease.
const CLOSE: Duration = Duration::from_secs(3);
/// How long the end of the worker may wait for what is only told, not kept.
const FAREWELL: Duration = Duration::from_millis(500);

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
#[derive(Debug)]
pub struct Worker {
    params: WorkerParams,
    health: Health,
}

impl Worker {
    /// Checks registry and settings.
    ///
    /// # Errors
    /// When a task name is registered twice, or a setting makes no sense.
    pub fn new(params: WorkerParams) -> Result<Self, WorkerError> {
        params.registry.check()?;
        params.settings.check()?;
        Ok(Self {
            params,
            health: Health::default(),
        })
    }

    /// The worker's pulse, for a watchdog.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Consumes until asked to stop. When it returns, everything that was held and not finished is back in its queue.
    ///
    /// # Errors
    /// When the broker refuses what waiting does not mend: credentials, or a consumer that was closed by force.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), WorkerError> {
        let Self { params, health } = self;
        let WorkerParams {
            client,
            registry,
            settings,
            hooks,
            ready,
        } = params;
        let (events, waiting_events) = EventSender::new(settings.worker_send_task_events);
        let (completions, waiting) = mpsc::channel(COMPLETIONS);
        let engine = Arc::new(Engine {
            stores_results: client.backends().results.is_some(),
            settings,
            registry,
            client,
            hooks,
            revocations: Revocations::default(),
            activity: Activity::default(),
            events,
            completions,
            started: Instant::now(),
        });
        let running =
            Running::start(Arc::clone(&engine), waiting, waiting_events, &shutdown).await?;
        banner(&engine);
        if let Some(ready) = ready {
            ready();
        }
        running.until_stopped(&shutdown, &health).await
    }
}

/// A worker whose components run.
struct Running {
    engine: Arc<Engine>,
    consumer: Arc<dyn Consumer>,
    executor: Executor,
    intake: JoinHandle<Result<(), broker::BrokerError>>,
    acknowledger: JoinHandle<()>,
    /// Cancelled when no run is left that could settle anything.
    ended: CancellationToken,
    events: JoinHandle<()>,
    /// Cancelled when everything is settled: heartbeat, control and events.
    settled: CancellationToken,
}

impl Running {
    async fn start(
        engine: Arc<Engine>,
        completions: mpsc::Receiver<Completion>,
        events: mpsc::Receiver<Event>,
        shutdown: &Shutdown,
    ) -> Result<Self, WorkerError> {
        let consumer = open_consumer(&engine).await?;
        let (ended, settled) = (CancellationToken::new(), CancellationToken::new());
        let control = if engine.settings.worker_enable_remote_control {
            Some(Control::open(Arc::clone(&engine), shutdown.clone()).await?)
        } else {
            None
        };
        if let Some(control) = control {
            tokio::spawn(settled.clone().run_until_cancelled_owned(control.run()));
        }
        tokio::spawn(Pulse::new(Arc::clone(&engine)).run(settled.clone()));
        let publisher = EventPublisher::new(engine.client.clone(), events);
        let executor = Executor::new(Arc::clone(&engine), shutdown.clone());
        let acknowledger = Acknowledger::new(AcknowledgerParams {
            consumer: Arc::clone(&consumer),
            backends: engine.client.backends().clone(),
            completions,
            events: engine.events.clone(),
        });
        let intake = Intake::new(IntakeParams {
            engine: Arc::clone(&engine),
            consumer: Arc::clone(&consumer),
            executor: executor.clone(),
            shutdown: shutdown.clone(),
        });
        Ok(Self {
            intake: tokio::spawn(intake.run()),
            acknowledger: tokio::spawn(acknowledger.run(ended.clone())),
            events: tokio::spawn(publisher.run(settled.clone())),
            engine,
            consumer,
            executor,
            ended,
            settled,
        })
    }

    async fn until_stopped(
        mut self,
        shutdown: &Shutdown,
        health: &Health,
    ) -> Result<(), WorkerError> {
        let mut pulse = tokio::time::interval(Duration::from_secs(1));
        let ended = loop {
            tokio::select! {
                ended = &mut self.intake => break ended,
                _ = pulse.tick() => health.beat(),
            }
        };
        // Ends what waits for a slot, also when it was the broker that ended the intake.
        shutdown.warm.cancel();
        self.stop(shutdown, health).await;
        match ended {
            Ok(ended) => ended.map_err(WorkerError::broker("reserving messages")),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Runs end first, then their settlements, then the hold on everything else.
    async fn stop(self, shutdown: &Shutdown, health: &Health) {
        info!(
            running = self.engine.activity.active(),
            "stopping: nothing new is taken"
        );
        self.finish_runs(shutdown, health).await;
        self.ended.cancel();
        settle_rest(self.acknowledger, &shutdown.cold).await;
        self.settled.cancel();
        let farewell = async {
            // A publisher that has panicked has said so.
            let _ = self.events.await;
            heartbeat::send(&self.engine, Event::worker_offline).await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            warn!("the last events were not sent in time");
        }
        match tokio::time::timeout(CLOSE, self.consumer.close()).await {
            Ok(Ok(given_back)) => info!(
                given_back,
                processed = self.engine.activity.processed(),
                "stopped"
            ),
            Ok(Err(error)) => {
                error!(%error, "cannot give back what is held; it is ready again when the lease has run out")
            }
            Err(_) => error!(
                "the broker does not answer; what is held is ready again when the lease has run out"
            ),
        }
    }

    async fn finish_runs(&self, shutdown: &Shutdown, health: &Health) {
        let mut pulse = tokio::time::interval(Duration::from_secs(1));
        let drained = self.executor.drain();
        tokio::pin!(drained);
        let mut stopped = false;
        loop {
            tokio::select! {
                () = &mut drained => return,
                () = shutdown.cold.cancelled(), if !stopped => {
                    stopped = true;
                    self.engine.activity.stop_all();
                }
                _ = pulse.tick() => health.beat(),
            }
        }
    }
}

/// Waits for the last settlements, even through an outage; a cold shutdown gives them a moment only.
async fn settle_rest(mut acknowledger: JoinHandle<()>, cold: &CancellationToken) {
    let impatient = async {
        cold.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        ended = &mut acknowledger => if ended.is_err() {
            error!("the acknowledger has panicked; unsettled messages run again");
        },
        () = impatient => {
            acknowledger.abort();
            warn!("the broker does not answer; unsettled messages run again");
        }
    }
}

async fn open_consumer(engine: &Engine) -> Result<Arc<dyn Consumer>, WorkerError> {
    let (notices, told) = mpsc::channel(NOTICES);
    let settings = &engine.settings;
    let params = ConsumerParams {
        node: settings.hostname.clone(),
        queues: settings.queues.clone(),
        order: settings.queue_order,
        lease: settings.lease,
        visibility_timeout: settings.visibility_timeout,
        limits: settings.limits,
        notices,
    };
    tokio::spawn(log_notices(told));
    let opened = engine.client.backends().broker.consumer(params).await;
    opened.map_err(WorkerError::broker("opening a consumer"))
}

async fn log_notices(mut notices: mpsc::Receiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Disconnected { error } => warn!(
                error,
                "the connection to the broker is lost; it is being rebuilt"
            ),
            Notice::Reconnected => info!("the connection to the broker is back"),
            Notice::Reclaimed { from, messages } => {
                warn!(from, messages, "messages of a lost worker are ready again")
            }
            Notice::Lost { meta } => error!(
                task_id = meta.task_id,
                "a run was lost with its worker after an early acknowledgement"
            ),
            Notice::Fenced => warn!(
                "this worker was declared dead while it was cut off; what it held runs elsewhere"
            ),
        }
    }
}

fn banner(engine: &Engine) {
    let settings = &engine.settings;
    let acks = if settings.task_acks_late {
        "late: a task is acknowledged when it has ended and runs again if its worker is lost (Celery's default is early)"
    } else {
        "early: a task is acknowledged when it starts and is lost with its worker"
    };
    info!(
        hostname = settings.hostname,
        queues = settings.queues.join(","),
        concurrency = settings.worker_concurrency,
        prefetch = settings.prefetch_count(),
        results = engine.stores_results,
        "worker ready"
    );
    info!("acknowledgement is {acks}");
    info!(
        "time limits: the hard one ends an async task at its next await; a thread cannot be killed, its failure is stored \
         and its slot is free when it ends. The soft one asks the task, and ends an async task that never asks"
    );
    let names = engine.registry.names();
    let blocking = names.iter().filter(|name| {
        engine
            .registry
            .options(name)
            .is_some_and(|options| options.pool == Pool::Blocking)
    });
    info!(
        tasks = names.join(","),
        blocking = blocking.copied().collect::<Vec<_>>().join(","),
        "registered tasks"
    );
}

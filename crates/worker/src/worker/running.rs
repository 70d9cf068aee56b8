//! A worker's components while they run, and the order in which they stop.

use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, Consumer, ConsumerParams};
use protocol::event::Event;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::lookout::Lookout;
use super::{beside, notices};
use crate::acknowledger::{Acknowledger, AcknowledgerParams};
use crate::consumers::Consumers;
use crate::engine::{Engine, Outlets};
use crate::events::EventPublisher;
use crate::executor::Executor;
use crate::heartbeat;
use crate::intake::{Intake, IntakeParams};
use crate::pools::Autoscaler;
use crate::reach::reach;
use crate::{Shutdown, WorkerError};

/// How often the worker shows that it lives.
const PULSE: Duration = Duration::from_secs(1);
/// Notices of the consumer that may wait to be logged.
const NOTICES: usize = 256;
/// How long giving back may take before it is left to the lease.
const CLOSE: Duration = Duration::from_secs(3);
/// How long a cold end waits for what the broker does not answer, and any end for what is only told.
const FAREWELL: Duration = Duration::from_millis(500);

/// A worker whose components run.
pub(super) struct Running {
    engine: Arc<Engine>,
    consumer: Arc<dyn Consumer>,
    executor: Executor,
    intake: JoinHandle<Result<(), BrokerError>>,
    lookout: JoinHandle<Option<WorkerError>>,
    acknowledger: JoinHandle<()>,
    /// Cancelled when no run is left that could settle anything.
    ended: CancellationToken,
    events: JoinHandle<()>,
    /// Cancelled when everything is settled: heartbeat, control and events.
    settled: CancellationToken,
    /// Ends when the state is saved.
    state_file: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) async fn start(
        engine: Arc<Engine>,
        outlets: Outlets,
        shutdown: &Shutdown,
    ) -> Result<Self, WorkerError> {
        let state_file = beside::restore(&engine).await?;
        let consumers = open_consumers(&engine).await?;
        let consumer: Arc<dyn Consumer> = consumers.clone();
        let (ended, settled) = (CancellationToken::new(), CancellationToken::new());
        beside::start(&engine, &consumer, shutdown, &settled).await?;
        let state_file =
            state_file.map(|file| tokio::spawn(file.keep(Arc::clone(&engine), settled.clone())));
        if let Err(error) = engine.hogs.watch(&engine.activity) {
            warn!(%error, "nobody looks for tasks that block the runtime: no thread can be started");
        }
        let publisher = EventPublisher::new(engine.client.clone(), outlets.events);
        let executor = Executor::new(Arc::clone(&engine), shutdown.clone());
        let wanted = executor.clone();
        let autoscaler = Autoscaler::new(Arc::clone(&engine), move || wanted.wanted_slots());
        tokio::spawn(autoscaler.run(shutdown.warm.clone()));
        let acknowledger = Acknowledger::new(AcknowledgerParams {
            engine: Arc::clone(&engine),
            consumer: Arc::clone(&consumer),
            completions: outlets.completions,
        });
        let lookout = Lookout::new(Arc::clone(&engine), consumers, shutdown.clone());
        let intake = Intake::new(IntakeParams {
            engine: Arc::clone(&engine),
            consumer: Arc::clone(&consumer),
            executor: executor.clone(),
            shutdown: shutdown.clone(),
        });
        Ok(Self {
            intake: tokio::spawn(intake.run()),
            lookout: tokio::spawn(lookout.run()),
            acknowledger: tokio::spawn(acknowledger.run(ended.clone())),
            events: tokio::spawn(publisher.run(settled.clone())),
            engine,
            consumer,
            executor,
            ended,
            settled,
            state_file,
        })
    }

    pub(super) async fn until_stopped(mut self, shutdown: &Shutdown) -> Result<(), WorkerError> {
        let consumed = self.consume(shutdown).await;
        self.stop(shutdown).await;
        consumed
    }

    /// Runs until the worker is asked to stop, or cannot go on. Nothing more is taken when it returns.
    async fn consume(&mut self, shutdown: &Shutdown) -> Result<(), WorkerError> {
        let mut pulse = tokio::time::interval(PULSE);
        let mut failure = None;
        let ended = loop {
            tokio::select! {
                ended = &mut self.intake => break ended,
                given_up = &mut self.lookout, if failure.is_none() && !shutdown.is_requested() => {
                    failure = given_up.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
                    shutdown.warm.cancel();
                }
                _ = pulse.tick() => self.engine.vitals.beat(),
            }
        };
        // Ends what waits for a slot, also when it was the broker that ended the intake.
        shutdown.warm.cancel();
        match ended {
            Ok(ended) => failure
                .map_or(Ok(()), Err)
                .and(ended.map_err(WorkerError::broker("reserving messages"))),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Runs end first, then their settlements, then the hold on everything else.
    async fn stop(self, shutdown: &Shutdown) {
        info!(
            running = self.engine.activity.active(),
            "stopping: nothing new is taken"
        );
        self.finish_runs(shutdown).await;
        self.ended.cancel();
        let lease = self.engine.settings.lease;
        settle_rest(self.acknowledger, &shutdown.cold, lease).await;
        self.settled.cancel();
        let farewell = async {
            // A publisher that has panicked has said so.
            let _ = self.events.await;
            heartbeat::send(&self.engine, Event::worker_offline).await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            warn!("the last events were not sent in time");
        }
        if let Some(saved) = self.state_file {
            // What goes wrong there has been logged; a disk that hangs must not keep the worker.
            let _ = tokio::time::timeout(CLOSE, saved).await;
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

    /// Waits for the runs. A cold shutdown ends them; one that waits for a broker that does not answer is left behind.
    async fn finish_runs(&self, shutdown: &Shutdown) {
        let mut pulse = tokio::time::interval(PULSE);
        let stopped_cold = async {
            self.patience(shutdown).await;
            self.engine.activity.stop_all();
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::pin!(stopped_cold);
        let drained = async {
            self.executor.drain().await;
            self.engine.following.drain().await;
            if shutdown.soft.is_cancelled()
                && self.engine.settings.worker_enable_soft_shutdown_on_idle
            {
                self.patience(shutdown).await;
            }
        };
        tokio::pin!(drained);
        loop {
            tokio::select! {
                () = &mut drained => return,
                () = &mut stopped_cold => return warn!("some runs do not end; they are left behind"),
                _ = pulse.tick() => self.engine.vitals.beat(),
            }
        }
    }

    /// Waits until what runs is to be ended: at once in a cold shutdown, after its time-out in a soft one.
    async fn patience(&self, shutdown: &Shutdown) {
        let timeout = self.engine.settings.worker_soft_shutdown_timeout;
        let softly = async {
            shutdown.soft.cancelled().await;
            if !timeout.is_zero() {
                warn!(
                    running = self.engine.activity.active(),
                    "soft shutdown: what still runs in {timeout:?} is given back"
                );
            }
            tokio::time::sleep(timeout).await;
        };
        tokio::select! {
            () = shutdown.cold.cancelled() => {}
            () = softly => shutdown.cold.cancel(),
        }
    }
}

/// Waits for the last settlements, through an outage of up to a lease's time: by then they may be refused anyway. A cold shutdown
/// gives them a moment only.
async fn settle_rest(mut acknowledger: JoinHandle<()>, cold: &CancellationToken, lease: Duration) {
    let impatient = async {
        // Both ends of the wait lead to the same end.
        let _patience = tokio::time::timeout(lease, cold.cancelled()).await;
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

async fn open_consumers(engine: &Arc<Engine>) -> Result<Arc<Consumers>, WorkerError> {
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
    tokio::spawn(notices::follow(Arc::clone(engine), told));
    let broker = &engine.client.backends().broker;
    let open = || Consumers::open(Arc::clone(broker), params.clone());
    reach(engine, "opening a consumer", open)
        .await
        .map(Arc::new)
}

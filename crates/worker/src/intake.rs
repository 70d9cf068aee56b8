//! Reserves messages, never more than there are free places, and hands each to admission. How many places there are is `pools`'
//! business.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::{BrokerError, Consumer, Delivery};
use futures_util::future::maybe_done;
use futures_util::poll;
use tracing::warn;

use crate::Shutdown;
use crate::activity::Arriving;
use crate::admission::{Admission, admit};
use crate::engine::Engine;
use crate::executor::Executor;
use crate::limiter::Waiting;
use crate::pools::Place;

/// Wait before reserving again after an outage that the broker did not wait through itself.
const PAUSE: Duration = Duration::from_millis(500);

/// How large a message is taken to be before the first one came, in bytes.
const UNKNOWN: usize = 64 * 1_024;

/// What an [`Intake`] needs.
#[derive(Debug)]
pub(crate) struct IntakeParams {
    pub(crate) engine: Arc<Engine>,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) executor: Executor,
    pub(crate) shutdown: Shutdown,
}

/// The actor that reserves.
#[derive(Debug)]
pub(crate) struct Intake {
    reserver: Reserver,
    dispatcher: Dispatcher,
    shutdown: Shutdown,
}

impl Intake {
    pub(crate) fn new(params: IntakeParams) -> Self {
        Self {
            reserver: Reserver {
                engine: Arc::clone(&params.engine),
                consumer: params.consumer,
                typical: AtomicUsize::new(UNKNOWN),
            },
            dispatcher: Dispatcher {
                engine: params.engine,
                executor: params.executor,
                waiting: Waiting::default(),
            },
            shutdown: params.shutdown,
        }
    }

    /// Runs until the worker is asked to stop, or the broker refuses what waiting does not mend.
    pub(crate) async fn run(self) -> Result<(), BrokerError> {
        let Self {
            reserver,
            mut dispatcher,
            shutdown,
        } = self;
        let mut sizes = reserver.engine.pool.sizes();
        let mut came = None;
        loop {
            let (event, reserved) = {
                let mut reserving = pin!(maybe_done(reserver.reserve()));
                if let Some(reserved) = came.take() {
                    // The next request leaves before the messages that came are decoded and started.
                    let _ = poll!(reserving.as_mut());
                    dispatcher.dispatch(reserved).await;
                }
                let event = tokio::select! {
                    () = shutdown.requested() => Event::Stop,
                    Ok(()) = sizes.changed() => Event::Resized,
                    () = dispatcher.waiting.due() => Event::Due,
                    () = reserving.as_mut() => Event::Reserved,
                };
                // Whatever has ended the waiting: messages that have come by now are not dropped.
                (event, reserving.take_output())
            };
            match reserved {
                Some(Ok(reserved)) => came = Some(reserved),
                Some(Err(error)) if error.is_transient() => pause(&shutdown, &error).await,
                Some(Err(error)) => return Err(error),
                None => {}
            }
            if matches!(event, Event::Reserved | Event::Resized) {
                continue;
            }
            if let Some(reserved) = came.take() {
                dispatcher.dispatch(reserved).await;
            }
            if matches!(event, Event::Stop) {
                return Ok(());
            }
            dispatcher.start_waiting(&shutdown).await;
        }
    }
}

/// What ends the waiting for messages.
#[derive(Debug)]
enum Event {
    /// The worker is asked to stop.
    Stop,
    /// The number of places has changed. It is asked anew; the reservation that is dropped strands nothing.
    Resized,
    /// A run's token has come.
    Due,
    /// Messages, or an error.
    Reserved,
}

async fn pause(shutdown: &Shutdown, error: &BrokerError) {
    warn!(%error, "reserving failed, trying again");
    tokio::select! {
        () = shutdown.requested() => {}
        () = tokio::time::sleep(PAUSE) => {}
    }
}

/// Messages that nobody has looked at yet.
#[derive(Debug)]
struct Reserved {
    /// As many as there are messages, or more.
    places: Place,
    batch: Vec<Delivery>,
    /// Until they are admitted they are counted here.
    arriving: Arriving,
}

/// Asks for messages.
#[derive(Debug)]
struct Reserver {
    engine: Arc<Engine>,
    consumer: Arc<dyn Consumer>,
    /// How large a message usually is, in bytes.
    typical: AtomicUsize,
}

impl Reserver {
    /// Waits for places and for room, then for messages: as many as there are places, and no more than there is probably room for.
    async fn reserve(&self) -> Result<Reserved, BrokerError> {
        let engine = &self.engine;
        let places = engine.pool.places().take_share().await;
        let room = engine.activity.room(engine.settings.reserve_bytes).await;
        let fitting = (room / self.typical.load(Ordering::Relaxed).max(1)).max(1);
        let batch = self.consumer.reserve(places.count().min(fitting)).await?;
        engine.vitals.take(batch.len());
        let arriving = engine.activity.arriving(self.measure(&batch));
        Ok(Reserved {
            places,
            batch,
            arriving,
        })
    }

    /// Learns how large messages are here: it believes a large one at once and small ones slowly. Returns how large these are together.
    fn measure(&self, batch: &[Delivery]) -> usize {
        let sizes = batch.iter().map(|delivery| delivery.message.size());
        let typical = self.typical.load(Ordering::Relaxed);
        let (typical, all) = sizes.fold((typical, 0), |(mean, all), size| {
            ((mean - mean / 8 + size / 8).max(size), all + size)
        });
        self.typical.store(typical, Ordering::Relaxed);
        all
    }
}

/// Hands messages to admission, and what may run to the executor.
#[derive(Debug)]
struct Dispatcher {
    engine: Arc<Engine>,
    executor: Executor,
    waiting: Waiting,
}

impl Dispatcher {
    /// Starts the run whose token has come. Nothing is reserved until there is a place for it.
    async fn start_waiting(&mut self, shutdown: &Shutdown) {
        let place = tokio::select! {
            place = self.engine.pool.places().take() => place,
            () = shutdown.requested() => return,
        };
        if let Some(run) = self.waiting.take() {
            self.engine.limiter.waited(&run.task.name);
            self.executor.start(run, place);
        }
    }

    async fn dispatch(&mut self, reserved: Reserved) {
        let Reserved {
            mut places,
            batch,
            arriving,
        } = reserved;
        for delivery in batch {
            match admit(&self.engine, delivery) {
                Admission::Run(run) => {
                    if !run.task.is_known() {
                        self.engine.pool.places().pace().slow_down();
                    }
                    let place = places
                        .split()
                        .expect("a broker gives no more than was asked for");
                    self.executor.start(run, place);
                }
                Admission::Wait(at, run) => self.waiting.add(at, run),
                Admission::Settle(completion) => self.engine.complete(*completion).await,
            }
        }
        drop(arriving);
    }
}

//! Reserves messages, never more than there are free places, and hands each to admission. How many places there are is `pools`'
//! business, and when which request leaves is that of `under_way`.

mod under_way;

use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, Consumer, Delivery};
use tracing::warn;

use crate::Shutdown;
use crate::activity::Arriving;
use crate::admission::{Admission, admit};
use crate::engine::Engine;
use crate::executor::Executor;
use crate::limiter::Waiting;
use crate::pools::Place;
use under_way::{Reserver, UnderWay};

/// Wait before reserving again after an outage that the broker did not wait through itself.
const PAUSE: Duration = Duration::from_millis(500);

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
            reserver: Reserver::new(Arc::clone(&params.engine), params.consumer),
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
        let mut sizes = reserver.engine().pool.sizes();
        let mut under_way = UnderWay::new(&reserver);
        loop {
            let event = tokio::select! {
                () = shutdown.requested() => Event::Stop,
                Ok(()) = sizes.changed() => Event::Resized,
                () = dispatcher.waiting.due() => Event::Due,
                reserved = under_way.next() => Event::Reserved(reserved),
            };
            let (came, event) = match event {
                Event::Reserved(reserved) => {
                    // The next request leaves before the messages that came are decoded and started.
                    under_way.leave().await;
                    (vec![reserved], None)
                }
                // Messages that have come by now are not dropped.
                event => (under_way.end(), Some(event)),
            };
            for reserved in came {
                match reserved {
                    Ok(reserved) => dispatcher.dispatch(reserved).await,
                    Err(error) if error.is_transient() => pause(&shutdown, &error).await,
                    Err(error) => return Err(error),
                }
            }
            match event {
                Some(Event::Stop) => return Ok(()),
                Some(Event::Due) => dispatcher.start_waiting(&shutdown).await,
                _ => {}
            }
        }
    }
}

/// What ends the waiting for messages.
#[derive(Debug)]
enum Event {
    /// The worker is asked to stop.
    Stop,
    /// The number of places has changed. It is asked anew; the reservations that are dropped strand nothing.
    Resized,
    /// A run's token has come.
    Due,
    /// Messages, or an error.
    Reserved(Result<Reserved, BrokerError>),
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

//! Events: what the worker tells monitors. Task events wait in a bounded queue and leave in batches as `task.multi`;
//! when the queue is full they are dropped and counted, never waited for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::{Client, SharedClock};
use jiff::Timestamp;
use nix::sys::signal::Signal;
use protocol::event::{Event, Stamp, TaskReceived};
use protocol::{EncodeError, Message, TaskRequest, Value, timestamp_text};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::admission::Run;
use crate::engine::Engine;
use crate::limited_set::LimitedSet;
use crate::{Failure, TaskOptions, WorkerError};

/// Task events that may wait.
const QUEUE: usize = 8_192;
/// Deferred calls that are remembered as announced.
const ANNOUNCED: usize = 10_000;
/// Task events in one message.
const BATCH: usize = 256;

/// The way of events out of the worker.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    queue: mpsc::Sender<Event>,
    /// `-E`: task events are on for good. As in Celery, remote control switches only those that are off without it.
    always: bool,
    enabled: Arc<AtomicBool>,
    /// Calls that were deferred after they had been announced, and will come again.
    announced: Arc<Mutex<LimitedSet>>,
    dropped: Arc<AtomicU64>,
}

impl EventSender {
    /// A sender, and what its publisher reads.
    pub(crate) fn new(enabled: bool) -> (Self, mpsc::Receiver<Event>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (
            Self {
                queue,
                always: enabled,
                enabled: Arc::new(enabled.into()),
                announced: Arc::new(Mutex::new(LimitedSet::new(ANNOUNCED, Duration::MAX))),
                dropped: Arc::default(),
            },
            waiting,
        )
    }

    /// Turns task events on or off; says whether that changed anything.
    pub(crate) fn enable(&self, enabled: bool) -> bool {
        !self.always && self.enabled.swap(enabled, Ordering::Relaxed) != enabled
    }

    /// Whether this call, one of perhaps several of its task, was announced before. Remembers it if it will come again.
    fn was_announced(&self, request: &TaskRequest, comes_again: bool) -> bool {
        let announced = &self.announced;
        let mut announced = announced.lock().unwrap_or_else(PoisonError::into_inner);
        if announced.is_empty() && !comes_again {
            return false;
        }
        let call = format!("{}/{}", request.id, request.retries);
        let known = announced.contains(&call);
        if comes_again {
            announced.add(&call);
        }
        known
    }

    /// The event, if task events are on and this task wants them.
    pub(crate) fn task(
        &self,
        options: &TaskOptions,
        make: impl FnOnce() -> Event,
    ) -> Option<Event> {
        (options.send_events && self.is_enabled()).then(make)
    }

    /// The event, if task events are on.
    pub(crate) fn any_task(&self, make: impl FnOnce() -> Event) -> Option<Event> {
        self.is_enabled().then(make)
    }

    /// Sends the event at once, if task events are on and this task wants them.
    pub(crate) fn send_task(&self, options: &TaskOptions, make: impl FnOnce() -> Event) {
        self.send_task_if(options, || Some(make()));
    }

    fn send_task_if(&self, options: &TaskOptions, make: impl FnOnce() -> Option<Event>) {
        if options.send_events
            && self.is_enabled()
            && let Some(event) = make()
        {
            self.send(event);
        }
    }

    /// Queues an event.
    pub(crate) fn send(&self, event: Event) {
        if self.queue.try_send(event).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                warn!(
                    dropped,
                    "task events are dropped: they come faster than the broker takes them"
                );
            }
        }
    }

    fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }
}

/// The actor that publishes task events.
#[derive(Debug)]
pub(crate) struct EventPublisher {
    client: Client,
    waiting: mpsc::Receiver<Event>,
}

impl EventPublisher {
    pub(crate) fn new(client: Client, waiting: mpsc::Receiver<Event>) -> Self {
        Self { client, waiting }
    }

    /// Runs until it is told that nothing more comes, and everything is sent.
    pub(crate) async fn run(mut self, complete: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                received = self.waiting.recv_many(&mut batch, BATCH) => match received {
                    0 => return,
                    _ => publish(&self.client, &batch).await,
                },
                () = complete.cancelled() => self.waiting.close(),
            }
            batch.clear();
        }
    }
}

/// Publishes task events as one message, a worker event as itself. A failure is logged, not repeated: events are not kept anywhere.
pub(crate) async fn publish(client: &Client, events: &[Event]) {
    let published = match events {
        [] => return,
        [event] if event.group() == "worker" => publish_alone(client, event).await,
        [event, ..] => {
            let codec = client.options().event_serializer;
            let routing_key = format!("{}.multi", event.group());
            let message = Event::batch_to_message(events, codec, &new_tag());
            broadcast(client, &routing_key, message.map(Option::unwrap_or_default)).await
        }
    };
    if let Err(error) = published {
        let error = &error as &dyn std::error::Error;
        debug!(error, "events were not sent");
    }
}

/// Publishes an event as itself.
///
/// # Errors
/// When it cannot be encoded, or the broker does not take it.
pub(crate) async fn publish_alone(client: &Client, event: &Event) -> Result<(), WorkerError> {
    let codec = client.options().event_serializer;
    let message = event.to_message(codec, &new_tag());
    broadcast(client, &event.routing_key(), message).await
}

async fn broadcast(
    client: &Client,
    routing_key: &str,
    message: Result<Message, EncodeError>,
) -> Result<(), WorkerError> {
    let what = "an event";
    let message = message.map_err(|source| WorkerError::Encode { what, source })?;
    let exchange = &client.options().event_exchange;
    let broker = &client.backends().broker;
    let sent = broker.broadcast(exchange, routing_key, message).await;
    sent.map_err(WorkerError::broker("sending an event"))
}

fn new_tag() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn stamp(engine: &Engine) -> Stamp<'_> {
    let clock: &SharedClock = engine.client.clock();
    clock.stamp(&engine.settings.hostname)
}

/// Tells that a task was received: once, although it may be deferred here several times before it runs.
pub(crate) fn announce(engine: &Engine, run: &Run, comes_again: bool) {
    let events = &engine.events;
    events.send_task_if(&run.task.options, || {
        let request = &run.held.request;
        (!events.was_announced(request, comes_again)).then(|| received(engine, request))
    });
}

fn received(engine: &Engine, request: &TaskRequest) -> Event {
    let text = |at: Option<Timestamp>| at.map(timestamp_text);
    let task = TaskReceived {
        uuid: request.id.clone(),
        name: request.display_name().to_owned(),
        args: request.args_repr(),
        kwargs: request.kwargs_repr(),
        root_id: request.root_id.clone(),
        parent_id: request.parent_id.clone(),
        retries: request.retries,
        eta: text(request.eta),
        expires: text(request.expires),
    };
    Event::task_received(stamp(engine), task)
}

pub(crate) fn started(engine: &Engine, request: &TaskRequest) -> Event {
    Event::task_started(stamp(engine), &request.id)
}

pub(crate) fn succeeded(
    engine: &Engine,
    request: &TaskRequest,
    result: &str,
    runtime: f64,
) -> Event {
    Event::task_succeeded(stamp(engine), &request.id, result, Some(runtime))
}

pub(crate) fn failed(
    engine: &Engine,
    request: &TaskRequest,
    exception: &str,
    traceback: Option<&str>,
) -> Event {
    Event::task_failed(
        stamp(engine),
        &request.id,
        exception,
        Some(traceback.unwrap_or_default()),
    )
}

pub(crate) fn not_registered(engine: &Engine, request: &TaskRequest, failure: &Failure) -> Event {
    Event::task_failed(stamp(engine), &request.id, &failure.exception.repr(), None)
}

pub(crate) fn retried(
    engine: &Engine,
    request: &TaskRequest,
    cause: &str,
    traceback: Option<&str>,
) -> Event {
    Event::task_retried(
        stamp(engine),
        &request.id,
        cause,
        Some(traceback.unwrap_or_default()),
    )
}

pub(crate) fn cancelled(engine: &Engine, request: &TaskRequest) -> Event {
    Event::task_cancelled(stamp(engine), &request.id)
}

pub(crate) fn rejected(engine: &Engine, request: &TaskRequest, requeue: bool) -> Event {
    Event::task_rejected(stamp(engine), &request.id, requeue)
}

/// `signal` is the name of the signal that has ended the run; Celery tells its number.
pub(crate) fn revoked(
    engine: &Engine,
    request: &TaskRequest,
    reason: &str,
    signal: Option<&str>,
) -> Event {
    let signum = signal.map_or(Value::Null, signal_number);
    Event::task_revoked(
        stamp(engine),
        &request.id,
        signal.is_some(),
        signum,
        reason == "expired",
    )
}

fn signal_number(name: &str) -> Value {
    signal_of(name).map_or_else(|| Value::from(name), |signal| Value::Int(signal as i64))
}

/// The signal of this name, with or without `SIG`.
pub(crate) fn signal_of(name: &str) -> Option<Signal> {
    let full = if name.starts_with("SIG") {
        name.to_owned()
    } else {
        format!("SIG{name}")
    };
    full.parse().ok()
}

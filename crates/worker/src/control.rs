//! Remote control: listens for requests, runs the command, replies. One file per group of commands; `commands` lists them all.
//!
//! A request that cannot be read is logged and left; nothing that comes in here ends the worker.

mod commands;
mod custom;
mod lifecycle;
mod limits;
mod memory;
mod pool;
mod queues;
mod requests;
mod revoke;
mod signature;
mod stamps;
mod stats;
mod tasks;

use std::sync::Arc;

use broker::{Consumer, ExchangeKind, Publish, Route, Source, Subscription};
use protocol::control::{Reply, Request};
use protocol::{Map, Value};
use tokio::sync::Semaphore;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::engine::Engine;
use crate::gossip::Gossip;
use crate::reach::reach;
use crate::{Failure, Shutdown, WorkerError};
use commands::Command;
pub(crate) use commands::is_builtin;
pub(crate) use custom::Handler;
pub(crate) use lifecycle::merge;
pub(crate) use memory::Samples;

/// What a command answers: its value, or the exception that it raised.
type Answer = Result<Value, Failure>;

/// Work that goes on after its command's turn, at once: custom commands, and what revoking leaves to do.
const BEHIND: usize = 16;

/// What the commands work on.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) engine: Arc<Engine>,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) gossip: Option<Arc<Gossip>>,
    pub(crate) shutdown: Shutdown,
    pub(crate) samples: Samples,
}

/// The actor that answers remote control.
#[derive(Debug)]
pub(crate) struct Control {
    panel: Arc<Panel>,
    requests: Subscription,
    behind: Arc<Semaphore>,
}

impl Control {
    /// Listens from now on.
    pub(crate) async fn open(panel: Panel) -> Result<Self, WorkerError> {
        let client = &panel.engine.client;
        let source = Source::Broadcast {
            exchange: format!("{}.pidbox", client.options().control_exchange),
            binding_key: String::new(),
        };
        let listen = || client.backends().broker.subscribe(source.clone());
        let requests = reach(&panel.engine, "listening to remote control", listen).await?;
        Ok(Self {
            panel: Arc::new(panel),
            requests,
            behind: Arc::new(Semaphore::new(BEHIND)),
        })
    }

    /// Runs until the broker is closed, or for ever.
    pub(crate) async fn run(mut self) {
        while let Some(message) = self.requests.next().await {
            let settings = &self.panel.engine.settings;
            match Request::from_message(&message, &settings.accept_content, &settings.limits) {
                Ok(request) => self.handle(request).await,
                Err(error) => warn!(%error, "a control request cannot be read"),
            }
        }
    }

    async fn handle(&self, request: Request) {
        let engine = &self.panel.engine;
        // Kombu's node adjusts by the header, and Celery's mailbox counts the receipt.
        engine.client.clock().forward();
        engine.client.clock().adjust(request.clock);
        if !request.is_for(&engine.settings.hostname) {
            return;
        }
        debug!(method = request.method, "control request");
        if let Some(handler) = engine.registry.command(&request.method) {
            return self.handle_behind(handler.clone(), request);
        }
        let answer = match Command::find(&request.method) {
            Some(command) => command.answer(&self.panel, &request.arguments).await,
            None => Err(key_error(&request.method)),
        };
        if !Command::find(&request.method).is_some_and(Command::is_silent) {
            reply(engine, &request, answer).await;
        }
    }

    /// An application's command may take long, hang or panic; nobody waits for it but who has asked.
    fn handle_behind(&self, handler: Handler, request: Request) {
        let engine = Arc::clone(&self.panel.engine);
        let place = Arc::clone(&self.behind).try_acquire_owned();
        tokio::spawn(async move {
            let answer = match place {
                Ok(_place) => handler.call(request.arguments.clone()).await,
                Err(_) => Err(Failure::builtin(
                    "RuntimeError",
                    vec!["too many commands of the application run already".into()],
                )),
            };
            reply(&engine, &request, answer).await;
        });
    }
}

async fn reply(engine: &Engine, request: &Request, answer: Answer) {
    let value = answer.unwrap_or_else(|failure| {
        warn!(
            method = request.method,
            error = failure.exception.repr(),
            "a control command failed"
        );
        error(failure.exception.repr())
    });
    let Some(reply_to) = &request.reply_to else {
        return;
    };
    let reply = Reply {
        node: engine.settings.hostname.clone(),
        value,
        ticket: request.ticket.clone(),
        clock: i64::try_from(engine.client.clock().forward()).ok(),
    };
    let tag = Uuid::new_v4().to_string();
    let codec = engine.client.options().task_serializer;
    let message = match reply.to_message(&reply_to.routing_key, codec, &tag) {
        Ok(message) => message,
        Err(error) => return warn!(%error, "a reply cannot be encoded"),
    };
    let route = Route::Exchange {
        name: reply_to.exchange.clone(),
        kind: ExchangeKind::Direct,
        routing_key: reply_to.routing_key.clone(),
    };
    let broker = &engine.client.backends().broker;
    if let Err(error) = broker.publish(vec![Publish { message, route }]).await {
        warn!(%error, "a reply was not sent");
    }
}

fn key_error(method: &str) -> Failure {
    Failure::builtin("KeyError", vec![method.into()])
}

fn ok(value: impl Into<Value>) -> Value {
    Value::Map(Map::from_iter([("ok", value.into())]))
}

fn error(text: impl Into<String>) -> Value {
    Value::Map(Map::from_iter([("error", Value::Str(text.into()))]))
}

/// An argument that is one text or a list of texts; Celery's `maybe_list`.
fn texts(arguments: &Map, name: &str) -> Vec<String> {
    let values = arguments.get(name).into_iter();
    values
        .flat_map(crate::revocations::values_of)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Whether an argument is true, or a word for it, as Celery's command line may give it.
fn is_on(arguments: &Map, name: &str) -> bool {
    match arguments.get(name) {
        Some(Value::Str(word)) => {
            matches!(word.to_lowercase().as_str(), "true" | "1" | "yes" | "on")
        }
        Some(Value::Int(number)) => *number != 0,
        other => other.and_then(Value::as_bool).unwrap_or(false),
    }
}

/// An argument that is a text.
fn text<'a>(arguments: &'a Map, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

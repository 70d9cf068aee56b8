//! Remote control: listens for requests, runs the command, replies. One file per group of commands.
//!
//! A request that cannot be read is logged and left; nothing that comes in here ends the worker.

mod inspect;
mod lifecycle;
mod pool;
mod requests;
mod revoke;
mod stats;

use std::sync::Arc;

use broker::{ExchangeKind, Publish, Route, Source, Subscription};
use protocol::control::{Reply, Request};
use protocol::{Map, Value};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::engine::Engine;
use crate::{Shutdown, WorkerError};

/// What a command answers; `None` sends no reply.
type Answer = Option<Value>;

/// The actor that answers remote control.
#[derive(Debug)]
pub(crate) struct Control {
    engine: Arc<Engine>,
    shutdown: Shutdown,
    requests: Subscription,
}

impl Control {
    /// Listens from now on.
    pub(crate) async fn open(engine: Arc<Engine>, shutdown: Shutdown) -> Result<Self, WorkerError> {
        let exchange = format!("{}.pidbox", engine.client.options().control_exchange);
        let source = Source::Broadcast {
            exchange,
            binding_key: String::new(),
        };
        let opened = engine.client.backends().broker.subscribe(source).await;
        let requests = opened.map_err(WorkerError::broker("listening to remote control"))?;
        Ok(Self {
            engine,
            shutdown,
            requests,
        })
    }

    /// Runs until the broker is closed, or for ever.
    pub(crate) async fn run(mut self) {
        while let Some(message) = self.requests.next().await {
            let settings = &self.engine.settings;
            match Request::from_message(&message, &settings.accept_content, &settings.limits) {
                Ok(request) => self.handle(request).await,
                Err(error) => warn!(%error, "a control request cannot be read"),
            }
        }
    }

    async fn handle(&self, request: Request) {
        self.engine.client.clock().adjust(request.clock);
        if !request.is_for(&self.engine.settings.hostname) {
            return;
        }
        debug!(method = request.method, "control request");
        let answer = self.answer(&request.method, &request.arguments).await;
        if let (Some(value), Some(reply_to)) = (answer, &request.reply_to) {
            let clock = i64::try_from(self.engine.client.clock().forward()).ok();
            let node = self.engine.settings.hostname.clone();
            let reply = Reply {
                node,
                value,
                ticket: request.ticket.clone(),
                clock,
            };
            self.reply(&reply, &reply_to.exchange, &reply_to.routing_key)
                .await;
        }
    }

    async fn answer(&self, method: &str, arguments: &Map) -> Answer {
        match method {
            "ping" => Some(ok("pong")),
            "hello" => Some(inspect::hello(&self.engine, arguments)),
            "active" | "dump_active" => Some(inspect::active(&self.engine)),
            "reserved" | "dump_reserved" => Some(inspect::reserved(&self.engine)),
            "scheduled" | "dump_schedule" => Some(inspect::scheduled(&self.engine).await),
            "query_task" => Some(inspect::query_task(&self.engine, arguments).await),
            "registered" | "dump_tasks" => Some(inspect::registered(&self.engine, arguments)),
            "revoked" | "dump_revoked" => Some(Value::from(self.engine.revocations.all())),
            "stats" => Some(stats::stats(&self.engine)),
            "conf" | "dump_conf" => Some(Value::Map(self.engine.settings.conf.clone())),
            "report" => Some(stats::report(&self.engine)),
            "active_queues" => Some(inspect::active_queues(&self.engine)),
            "clock" => Some(inspect::clock(&self.engine)),
            "revoke" => Some(revoke::revoke(&self.engine, arguments).await),
            "terminate" => Some(revoke::terminate(&self.engine, arguments).await),
            "pool_grow" => Some(pool::grow(&self.engine, arguments)),
            "pool_shrink" => Some(pool::shrink(&self.engine, arguments)),
            "autoscale" => Some(pool::autoscale(&self.engine, arguments)),
            "enable_events" => Some(lifecycle::enable_events(&self.engine, true)),
            "disable_events" => Some(lifecycle::enable_events(&self.engine, false)),
            "heartbeat" => lifecycle::heartbeat(&self.engine).await,
            "shutdown" => lifecycle::shutdown(&self.shutdown),
            unknown => Some(error(format!("KeyError('{unknown}')"))),
        }
    }

    async fn reply(&self, reply: &Reply, exchange: &str, routing_key: &str) {
        let tag = Uuid::new_v4().to_string();
        let message = match reply.to_message(
            routing_key,
            self.engine.client.options().task_serializer,
            &tag,
        ) {
            Ok(message) => message,
            Err(error) => return warn!(%error, "a reply cannot be encoded"),
        };
        let (name, routing_key) = (exchange.to_owned(), routing_key.to_owned());
        let route = Route::Exchange {
            name,
            kind: ExchangeKind::Direct,
            routing_key,
        };
        let sent = self
            .engine
            .client
            .backends()
            .broker
            .publish(vec![Publish { message, route }])
            .await;
        if let Err(error) = sent {
            warn!(%error, "a reply was not sent");
        }
    }
}

fn ok(value: impl Into<Value>) -> Value {
    Value::Map(Map::from_iter([("ok", value.into())]))
}

fn error(text: impl Into<String>) -> Value {
    Value::Map(Map::from_iter([("error", Value::Str(text.into()))]))
}

/// An argument that is one text or a list of texts.
fn texts(arguments: &Map, name: &str) -> Vec<String> {
    match arguments.get(name) {
        Some(Value::Str(text)) => vec![text.clone()],
        Some(Value::List(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

//! The transport: publishing, broadcasting, and opening consumers and subscriptions.

use std::sync::Arc;

use ::broker::{
    Binding, Broker, BrokerError, Capabilities, Consumer, ConsumerParams, ErrorKind, ExchangeKind,
    Publish, Result, ResultPolicy, Route, Source, Subscription,
};
use async_trait::async_trait;
use protocol::{Limits, Message};
use redis::Pipeline;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::consumer::{Parts, RedisConsumer};
use crate::error::{closed, invalid};
use crate::hub::Hub;
use crate::keys::Keys;
use crate::link::{Connector, Link};
use crate::mailbox;
use crate::options::RedisOptions;
use crate::outgoing::{Router, add_writes, encode};
use crate::results::ResultWriter;
use crate::routing::{Routing, add_binding};
use crate::subscribe;

/// The oldest server that has every command used here.
const OLDEST_VERSION: (u32, u32) = (6, 2);

/// A broker on Redis; also its coordinator and its operator's side.
#[derive(Debug)]
pub struct RedisBroker {
    pub(crate) link: Link,
    pub(crate) keys: Arc<Keys>,
    pub(crate) router: Router,
    connector: Connector,
    results: Option<Arc<ResultWriter>>,
    hub: Arc<Hub>,
    limits: Limits,
    stop: CancellationToken,
    _dropped: DropGuard,
}

impl RedisBroker {
    /// Connects, once; whoever wants to wait for a server calls again. Results are not part of its settlements
    /// (see [`connect_with_results`](Self::connect_with_results)).
    ///
    /// # Errors
    /// Says what to do: unreachable, denied, an old server, or wrong options.
    pub async fn connect(options: RedisOptions) -> Result<Arc<Self>> {
        Self::open(options, None).await
    }

    /// Connects to a server that holds the results too: they are then stored in the same atomic step as the settlement. `results` are the
    /// result backend's own options; only its key prefix and its limits matter here.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and when `results` mean another server or database ([`RedisOptions::same_server`]).
    pub async fn connect_with_results(
        options: RedisOptions,
        results: &RedisOptions,
        policy: ResultPolicy,
    ) -> Result<Arc<Self>> {
        if !options.same_server(results) {
            return Err(invalid(
                "results on another server or database cannot be stored together with settlements",
            ));
        }
        Self::open(options, Some(Arc::new(ResultWriter::new(results, policy)))).await
    }

    async fn open(options: RedisOptions, results: Option<Arc<ResultWriter>>) -> Result<Arc<Self>> {
        let connector = Connector::new(&options)?;
        let stop = CancellationToken::new();
        let link = Link::new(connector.clone(), stop.clone());
        if !options.connect_lazily {
            check_version(&link).await?;
        }
        let keys = Arc::new(Keys::new(&options));
        let router = Router {
            keys: Arc::clone(&keys),
            routing: Arc::new(Routing::default()),
            link: link.clone(),
        };
        let hub = Hub::new(connector.clone(), stop.clone());
        let _dropped = stop.clone().drop_guard();
        Ok(Arc::new(Self {
            link,
            keys,
            router,
            connector,
            results,
            hub,
            limits: options.limits,
            stop,
            _dropped,
        }))
    }

    fn check_open(&self) -> Result<()> {
        if self.stop.is_cancelled() {
            Err(closed())
        } else {
            Ok(())
        }
    }

    async fn try_publish(&self, batch: Vec<Publish>) -> Result<()> {
        let mut pipeline = Pipeline::new();
        for publish in &batch {
            if let Route::Queue(queue) = &publish.route {
                self.router
                    .routing
                    .declare(&self.keys, queue, &mut pipeline);
            }
        }
        let outgoing = self.router.resolve(batch).await?;
        add_writes(&outgoing, &mut pipeline);
        if pipeline.is_empty() {
            return Ok(());
        }
        if pipeline.len() > 1 {
            pipeline.atomic();
        }
        let fail = |error| self.link.explain("publish", error);
        let answers = self.link.try_send(&pipeline).await.map_err(fail)?;
        answers
            .into_iter()
            .try_for_each(|answer| answer.extract_error().map(|_| ()))
            .map_err(fail)
    }
}

/// Connects and refuses a server that is too old. A server that hides its version is taken at its word.
async fn check_version(link: &Link) -> Result<()> {
    let mut info = redis::cmd("INFO");
    info.arg("server");
    let answer = match link.try_call(info).await {
        Err(error) if error.code() == Some("NOPERM") => return Ok(()),
        answer => answer.map_err(|error| link.explain("connect", error))?,
    };
    let text: String = redis::from_redis_value(answer).unwrap_or_default();
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    match version.and_then(major_minor) {
        Some(found) if found < OLDEST_VERSION => Err(BrokerError::new(
            ErrorKind::Invalid,
            format!(
                "Redis {} is too old: 6.2 or newer is needed",
                version.unwrap_or_default()
            ),
        )),
        _ => Ok(()),
    }
}

/// The first two numbers of a version.
pub(crate) fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[async_trait]
impl Broker for RedisBroker {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            results_with_settlement: self.results.is_some(),
            defers_on_server: true,
            low_priority_number_first: true,
            durable: true,
        }
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        self.check_open()?;
        let published = self.try_publish(batch).await;
        if published.is_err() {
            // The declarations of this batch may not have arrived.
            self.router.routing.forget();
        }
        published
    }

    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        self.check_open()?;
        let parts = Parts {
            connector: self.connector.clone(),
            router: self.router.clone(),
            results: self.results.clone(),
        };
        Ok(Arc::new(RedisConsumer::open(parts, params).await?))
    }

    async fn bind(&self, binding: Binding, kind: ExchangeKind) -> Result<()> {
        self.check_open()?;
        kind.check_stores()?;
        let mut pipeline = Pipeline::new();
        add_binding(&self.keys, &binding, kind, &mut pipeline);
        pipeline.atomic();
        self.ask_all::<i64>("bind a queue", &pipeline).await?;
        Ok(())
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        self.check_open()?;
        let route = Route::Exchange {
            name: exchange.to_owned(),
            kind: ExchangeKind::Fanout,
            routing_key: routing_key.to_owned(),
        };
        let mut command = redis::cmd("PUBLISH");
        command
            .arg(self.keys.channel(exchange, routing_key))
            .arg(encode(message, &route)?);
        self.link.call("broadcast", command).await.map(|_| ())
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        self.check_open()?;
        match source {
            Source::Broadcast {
                exchange,
                binding_key,
            } => {
                let pattern = self.keys.channel_pattern(&exchange, &binding_key);
                subscribe::start(&self.hub, pattern, self.limits).await
            }
            Source::Mailbox {
                exchange,
                kind,
                routing_key,
                queue,
                expires,
            } => {
                let address = mailbox::Address {
                    exchange,
                    kind,
                    routing_key,
                    queue,
                    expires,
                };
                mailbox::open(
                    self.connector.clone(),
                    Arc::clone(&self.keys),
                    address,
                    self.limits,
                    &self.stop,
                )
                .await
            }
        }
    }

    async fn close(&self) {
        self.stop.cancel();
        self.link.hang_up().await;
    }
}

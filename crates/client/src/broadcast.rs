//! One request to workers: its addressees, its sending, the collecting of its replies.

use std::time::Duration;

use broker::{ExchangeKind, Source, Subscription};
use protocol::Map;
use protocol::control::{Reply, ReplyTo, Request, reply_queue};
use tokio::time::timeout;
use tracing::warn;

use crate::prepare::new_id;
use crate::{Client, ClientError};

/// How long a controller listens for a further reply unless told otherwise; Celery's.
const TIMEOUT: Duration = Duration::from_secs(1);
/// `control_queue_expires`: how long a server keeps a reply queue that nobody reads.
const QUEUE_EXPIRES: Duration = Duration::from_secs(10);

/// A request that is being prepared.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Broadcast {
    client: Client,
    request: Request,
    timeout: Duration,
}

impl Broadcast {
    pub(crate) fn new(client: Client, method: impl Into<String>, arguments: Map) -> Self {
        Self {
            client,
            request: Request::new(method, arguments),
            timeout: TIMEOUT,
        }
    }

    /// Only to these nodes; an empty list means all.
    pub fn destination(mut self, nodes: Vec<String>) -> Self {
        self.request.destination = (!nodes.is_empty()).then_some(nodes);
        self
    }

    /// Only to nodes whose name matches; `matcher` is `glob` or `pcre`.
    pub fn pattern(mut self, pattern: impl Into<String>, matcher: impl Into<String>) -> Self {
        self.request.pattern = Some(pattern.into());
        self.request.matcher = Some(matcher.into());
        self
    }

    /// How long to wait for each further reply; one second unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it and wants no reply.
    ///
    /// # Errors
    /// When an argument cannot be encoded or the broker cannot be reached.
    pub async fn send(self) -> Result<(), ClientError> {
        self.publish().await
    }

    /// Sends it and collects replies until none comes for the timeout, or every addressee has answered.
    ///
    /// # Errors
    /// As [`Broadcast::send`].
    pub async fn collect(mut self) -> Result<Vec<Reply>, ClientError> {
        let (oid, ticket) = (new_id(), new_id());
        let exchange = format!("reply.{}.pidbox", self.client.options().control_exchange);
        let mut mailbox = self.open_mailbox(&oid, &exchange).await?;
        self.request.ticket = Some(ticket.clone());
        self.request.reply_to = Some(ReplyTo {
            exchange,
            routing_key: oid,
        });
        let limit = self
            .request
            .destination
            .as_ref()
            .map_or(usize::MAX, Vec::len);
        self.request.expires =
            Some(jiff::Timestamp::now().as_duration().as_secs_f64() + self.timeout.as_secs_f64());
        self.publish().await?;
        let mut replies = Vec::new();
        while replies.len() < limit {
            let Ok(Some(message)) = timeout(self.timeout, mailbox.next()).await else {
                break;
            };
            let options = self.client.options();
            match Reply::from_message(&message, &options.accept_content, &options.limits) {
                Ok(reply) if reply.ticket.as_ref() == Some(&ticket) => {
                    self.client.clock().adjust(reply.clock);
                    replies.push(reply);
                }
                Ok(_) => {}
                Err(error) => warn!(%error, "a reply cannot be read"),
            }
        }
        Ok(replies)
    }

    async fn open_mailbox(&self, oid: &str, exchange: &str) -> Result<Subscription, ClientError> {
        let source = Source::Mailbox {
            exchange: exchange.to_owned(),
            kind: ExchangeKind::Direct,
            routing_key: oid.to_owned(),
            queue: reply_queue(oid),
            expires: QUEUE_EXPIRES,
        };
        self.client
            .backends()
            .broker
            .subscribe(source)
            .await
            .map_err(ClientError::broker("open a reply queue"))
    }

    async fn publish(&self) -> Result<(), ClientError> {
        let clock = self.client.clock().forward();
        let request = Request {
            clock: i64::try_from(clock).ok(),
            ..self.request.clone()
        };
        let task = || format!("control command {}", request.method);
        let message = request
            .to_message(self.client.options().task_serializer, &new_id())
            .map_err(|source| ClientError::Encode {
                task: task(),
                source,
            })?;
        self.client.remember_request(&self.request).await;
        let exchange = format!("{}.pidbox", self.client.options().control_exchange);
        let sent = self
            .client
            .backends()
            .broker
            .broadcast(&exchange, "", message)
            .await;
        sent.map_err(ClientError::broker("send a control request"))
    }
}

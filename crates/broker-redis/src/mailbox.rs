//! A private queue for replies: bound while somebody reads it, read without acknowledgement, deleted afterwards.
//!
//! It is read as consumers read theirs, by client tracking on a connection of its own, and never by a blocking pop.

use std::sync::Arc;
use std::time::Duration;

use broker::{ExchangeKind, Result, Subscription};
use protocol::{Limits, Message};
use redis::Pipeline;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::keys::Keys;
use crate::link::{Connector, Link};
use crate::routing::entry;
use crate::script;
use crate::subscribe::{BUFFER, decode};
use crate::wake::Wake;

/// Replies taken at once.
const CHUNK: usize = 64;
/// kombu's shortest life of a temporary binding table.
const SHORTEST_TABLE_MS: u128 = 3_600_000;

/// The queue and its binding.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) exchange: String,
    pub(crate) kind: ExchangeKind,
    pub(crate) routing_key: String,
    pub(crate) queue: String,
    pub(crate) expires: Duration,
}

struct Mailbox {
    link: Link,
    keys: Arc<Keys>,
    wake: Arc<Wake>,
    address: Address,
    limits: Limits,
}

/// Binds the queue and reads it until the subscription is dropped or the broker is closed.
pub(crate) async fn open(
    connector: Connector,
    keys: Arc<Keys>,
    address: Address,
    limits: Limits,
    broker_stop: &CancellationToken,
) -> Result<Subscription> {
    let wake = Arc::new(Wake::default());
    let link = Link::with_push(
        connector,
        broker_stop.clone(),
        Wake::greeting(),
        wake.on_push(),
    );
    let mailbox = Mailbox {
        link,
        keys,
        wake,
        address,
        limits,
    };
    mailbox.bind().await?;
    let (messages, receiver) = mpsc::channel(BUFFER);
    let stop = broker_stop.child_token();
    let stopped = stop.clone();
    tokio::spawn(async move {
        if let Some(Err(error)) = stopped.run_until_cancelled(mailbox.read(messages)).await {
            tracing::debug!(%error, "a mailbox ended");
        }
        mailbox.delete().await;
    });
    Ok(Subscription::new(receiver, stop.drop_guard()))
}

impl Mailbox {
    fn member(&self) -> String {
        let Address {
            routing_key,
            queue,
            kind,
            ..
        } = &self.address;
        self.keys.write_binding(&entry(*kind, routing_key, queue))
    }

    async fn bind(&self) -> Result<()> {
        if self.address.exchange.is_empty() {
            return self
                .link
                .ensure()
                .await
                .map_err(|error| self.link.explain("open a mailbox", error));
        }
        let table = self.keys.binding(&self.address.exchange);
        let life = (2 * self.address.expires.as_millis()).max(SHORTEST_TABLE_MS);
        let mut command = script::BIND.on(&[&table, &self.keys.binding_deadlines()]);
        command
            .arg(self.member())
            .arg(&self.address.exchange)
            .arg(life.to_string());
        self.link.call("bind a mailbox", command).await.map(|_| ())
    }

    async fn read(&self, messages: mpsc::Sender<Message>) -> Result<()> {
        let lists = self.keys.lists(&self.address.queue);
        let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
        loop {
            self.wake.wait(&self.link, &lists).await?;
            for payload in self.take(&lists).await? {
                let Some(message) = decode(&payload, &self.limits) else {
                    continue;
                };
                if messages.send(message).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    async fn take(&self, lists: &[&str]) -> Result<Vec<Vec<u8>>> {
        let mut pipeline = Pipeline::new();
        for list in lists {
            pipeline.cmd("RPOP").arg(list).arg(CHUNK);
        }
        let action = "read a mailbox";
        let mut taken = Vec::new();
        for answer in self.link.send(action, &pipeline).await?.answers {
            let fail = |error| self.link.explain(action, error);
            let payloads: Option<Vec<Vec<u8>>> =
                redis::from_redis_value(answer.extract_error().map_err(fail)?)
                    .map_err(|error| fail(error.into()))?;
            taken.extend(payloads.into_iter().flatten());
        }
        Ok(taken)
    }

    async fn delete(&self) {
        let mut pipeline = Pipeline::new();
        if !self.address.exchange.is_empty() {
            pipeline
                .cmd("SREM")
                .arg(self.keys.binding(&self.address.exchange))
                .arg(self.member());
        }
        pipeline
            .cmd("DEL")
            .arg(self.keys.lists(&self.address.queue));
        if let Err(error) = self.link.try_send(&pipeline).await {
            tracing::debug!(%error, "cannot delete a mailbox; its queue stays until somebody deletes it");
        }
    }
}

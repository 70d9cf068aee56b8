//! Carrying messages from one broker to another. A message is settled at its source only after the destination has
//! confirmed it, so an end at any instant loses nothing. It opens no broker and prints no report.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use broker::{
    Broker, Consumer, ConsumerParams, Delivery, Publish, QueueOrder, Route, Settlement, Tag,
    Verdict,
};
use protocol::{Accept, Codec, Limits, Message, TaskRequest};
use service::Settings;
use tokio::sync::mpsc;

use crate::error::Error;
use crate::output;
use crate::signals::Signals;

/// How many messages are carried at once.
const BATCH: usize = 100;
/// The node's name while it holds messages.
const NODE: &str = "migrate@celeriac";

/// A queue at the source and its name at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueMap {
    from: String,
    to: String,
}

impl QueueMap {
    /// The same name on both sides.
    pub(crate) fn same(queue: String) -> Self {
        Self {
            to: queue.clone(),
            from: queue,
        }
    }

    /// Whether it has the same name on both sides.
    pub(crate) fn is_same(&self) -> bool {
        self.from == self.to
    }
}

impl FromStr for QueueMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        if from.is_empty() || to.is_empty() {
            return Err("must be a queue's name, or FROM:TO".to_owned());
        }
        let [from, to] = [from, to].map(str::to_owned);
        Ok(Self { from, to })
    }
}

/// What is to be carried.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) queues: Vec<QueueMap>,
    /// Only these tasks; all of them when empty.
    pub(crate) tasks: Vec<String>,
    pub(crate) limit: u64,
    /// How long to wait for more; `None` for ever.
    pub(crate) patience: Option<Duration>,
    /// Whether messages leave the source.
    pub(crate) ack: bool,
    /// Whether to print a line for each message.
    pub(crate) tell: bool,
}

/// What was carried, by queue of the destination, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub(crate) queues: BTreeMap<String, u64>,
    pub(crate) other_tasks: u64,
    pub(crate) unreadable: u64,
}

/// A migration under way.
pub(crate) struct Migration<'a> {
    plan: Plan,
    source: Arc<dyn Consumer>,
    destination: &'a dyn Broker,
    limits: Limits,
    signals: Signals,
    moved: Moved,
    count: u64,
}

impl<'a> Migration<'a> {
    /// Opens a consumer at the source.
    ///
    /// # Errors
    /// When the source refuses.
    pub(crate) async fn open(
        settings: &Settings,
        source: &dyn Broker,
        destination: &'a dyn Broker,
        plan: Plan,
    ) -> Result<Self, Error> {
        let worker = settings.worker_settings()?;
        let limits = settings.limits();
        // What other consumers did is nobody's business here: a full channel drops notices.
        let (notices, _) = mpsc::channel(1);
        let params = ConsumerParams {
            node: NODE.to_owned(),
            queues: plan.queues.iter().map(|queue| queue.from.clone()).collect(),
            order: QueueOrder::RoundRobin,
            lease: worker.lease,
            visibility_timeout: worker.visibility_timeout,
            limits,
            notices,
        };
        Ok(Self {
            source: source.consumer(params).await?,
            destination,
            limits,
            signals: Signals::listen()?,
            moved: Moved::default(),
            count: 0,
            plan,
        })
    }

    /// Carries everything, then gives back what is still held: everything that was only copied or not wanted.
    ///
    /// # Errors
    /// When a broker fails; what is held is given back first.
    pub(crate) async fn run(mut self) -> Result<Moved, Error> {
        let carried = self.carry_all().await;
        self.source.close().await?;
        carried.map(|()| self.moved)
    }

    async fn carry_all(&mut self) -> Result<(), Error> {
        while self.count < self.plan.limit {
            let left = self.plan.limit - self.count;
            let room = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
            let Some(batch) = self.next(room).await? else {
                break;
            };
            self.carry(batch).await?;
        }
        Ok(())
    }

    /// The next messages; `None` when none came in time or a signal said to stop.
    async fn next(&mut self, room: usize) -> Result<Option<Vec<Delivery>>, Error> {
        let patience = self.plan.patience;
        let too_late = async {
            match patience {
                Some(patience) => tokio::time::sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.signals.next() => Ok(None),
            batch = self.source.reserve(room) => Ok(Some(batch?)),
            () = too_late => Ok(None),
        }
    }

    async fn carry(&mut self, batch: Vec<Delivery>) -> Result<(), Error> {
        let mut publishes = Vec::with_capacity(batch.len());
        let mut tags = Vec::with_capacity(batch.len());
        let mut lines = Vec::new();
        for delivery in batch {
            let Some((tag, message)) = self.wanted(&delivery) else {
                continue;
            };
            let queue = self.destination_of(&delivery.queue).to_owned();
            self.count += 1;
            if self.plan.tell {
                lines.push(format!(
                    "Migrating task {}: {}",
                    self.count,
                    label(&message)
                ));
            }
            *self.moved.queues.entry(queue.clone()).or_default() += 1;
            let route = Route::queue(queue);
            publishes.push(Publish { message, route });
            tags.push(tag);
        }
        if publishes.is_empty() {
            return Ok(());
        }
        self.destination.publish(publishes).await?;
        if self.plan.ack {
            let acks = tags
                .into_iter()
                .map(|tag| Settlement::new(tag, Verdict::Ack));
            self.source.settle(acks.collect()).await?;
        }
        lines.iter().for_each(|line| output::line(line));
        Ok(())
    }

    /// The message, if it is to be carried; the others are counted and stay held until the end.
    fn wanted(&mut self, delivery: &Delivery) -> Option<(Tag, Message)> {
        let Ok(message) = &*delivery.message else {
            self.moved.unreadable += 1;
            return None;
        };
        if !self.plan.tasks.is_empty() {
            let name = task_name(message, &self.limits);
            if !name.is_some_and(|name| self.plan.tasks.contains(&name)) {
                self.moved.other_tasks += 1;
                return None;
            }
        }
        Some((delivery.tag.clone(), message.clone()))
    }

    fn destination_of<'q>(&'q self, queue: &'q str) -> &'q str {
        let mut queues = self.plan.queues.iter();
        let found = queues.find(|candidate| candidate.from == queue);
        found.map_or(queue, |queue| &queue.to)
    }
}

/// The task's name; of protocol 1 it is in the body.
fn task_name(message: &Message, limits: &Limits) -> Option<String> {
    if message.headers.task.is_some() {
        return message.headers.task.clone();
    }
    let accept = Accept::new([Codec::Json, Codec::Msgpack, Codec::Yaml]);
    let request = TaskRequest::from_message(message, &accept, limits);
    request.ok().map(|request| request.task)
}

fn label(message: &Message) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let (task, id) = (text(&message.headers.task), text(&message.headers.id));
    format!("{task}[{id}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_may_get_another_name() {
        let queue: QueueMap = "a:b".parse().unwrap();
        assert_eq!((queue.from.as_str(), queue.to.as_str()), ("a", "b"));
        assert!("a".parse::<QueueMap>().unwrap().is_same());
        assert!(":b".parse::<QueueMap>().is_err());
    }
}

//! What every case begins with, and the words it is written in.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::{Limits, Message, State, TaskMeta, TimeLimit, Value};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{sleep, timeout};

use super::{Harness, Instance};
use crate::{
    Admin, Backends, Broker, Consumer, ConsumerParams, Coordinator, Delivery, Notice, Publish,
    QueueOrder, ResultBackend, ResultPolicy, Route, Settled, Settlement, Tag, Verdict,
};

/// How long a condition may take to come true on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long nothing must happen before a case believes that nothing will.
pub(super) const QUIET: Duration = Duration::from_millis(100);
/// A lifetime that runs out while a case waits for it. Servers may keep lifetimes in whole seconds.
pub(super) const BRIEF: Option<Duration> = Some(Duration::from_secs(1));

/// One server side and the lease to use on it.
pub(super) struct Fixture {
    pub(super) instance: Box<dyn Instance>,
    pub(super) lease: Duration,
    backends: Backends,
    harness: Arc<dyn Harness>,
}

impl Fixture {
    pub(super) async fn new(harness: Arc<dyn Harness>) -> Self {
        Self::with_policy(harness, ResultPolicy::default()).await
    }

    /// Another server side, with this policy for results.
    pub(super) async fn under(&self, policy: ResultPolicy) -> Self {
        Self::with_policy(self.harness.clone(), policy).await
    }

    async fn with_policy(harness: Arc<dyn Harness>, policy: ResultPolicy) -> Self {
        let instance = harness.fresh(policy).await;
        let backends = instance.backends();
        Self {
            instance,
            backends,
            lease: harness.lease(),
            harness,
        }
    }

    /// The same server side through other backends.
    pub(super) fn through(mut self, backends: Backends) -> Self {
        self.backends = backends;
        self
    }

    pub(super) fn backends(&self) -> Backends {
        self.backends.clone()
    }

    pub(super) fn broker(&self) -> &dyn Broker {
        &*self.backends.broker
    }

    pub(super) fn admin(&self) -> &dyn Admin {
        &*self.backends.admin
    }

    pub(super) fn coordinator(&self) -> &Arc<dyn Coordinator> {
        &self.backends.coordinator
    }

    pub(super) fn results(&self) -> &dyn ResultBackend {
        self.backends
            .results
            .as_deref()
            .expect("a conformance instance has results")
    }

    pub(super) fn params(&self, queues: &[&str]) -> (ConsumerParams, mpsc::Receiver<Notice>) {
        let (sender, notices) = mpsc::channel(256);
        let params = ConsumerParams {
            node: "conformance@host".to_owned(),
            queues: queues.iter().map(ToString::to_string).collect(),
            order: QueueOrder::RoundRobin,
            lease: self.lease,
            visibility_timeout: Duration::from_secs(3600),
            limits: Limits::default(),
            notices: sender,
        };
        (params, notices)
    }

    /// A consumer of these queues with the usual parameters.
    pub(super) async fn consumer(&self, queues: &[&str]) -> Member {
        let (params, notices) = self.params(queues);
        self.open(params, notices).await
    }

    pub(super) async fn ordered_consumer(&self, queues: &[&str], order: QueueOrder) -> Member {
        let (params, notices) = self.params(queues);
        self.open(ConsumerParams { order, ..params }, notices).await
    }

    pub(super) async fn open(
        &self,
        params: ConsumerParams,
        notices: mpsc::Receiver<Notice>,
    ) -> Member {
        let consumer = self
            .broker()
            .consumer(params)
            .await
            .expect("a consumer opens");
        Member {
            consumer,
            notices: Mutex::new(notices),
        }
    }

    /// Publishes messages with these ids in one batch.
    pub(super) async fn publish(&self, queue: &str, ids: &[&str]) {
        self.publish_all(ids.iter().map(|id| publish(queue, message(id))).collect())
            .await;
    }

    pub(super) async fn publish_all(&self, batch: Vec<Publish>) {
        self.broker()
            .publish(batch)
            .await
            .expect("publishing is confirmed");
    }

    /// How many messages are ready in a queue.
    pub(super) async fn ready(&self, queue: &str) -> u64 {
        let depth = self
            .admin()
            .depth(&[queue.to_owned()])
            .await
            .expect("depth is known");
        depth[0].ready()
    }

    /// The state that is stored for a task.
    pub(super) async fn stored(&self, task_id: &str) -> Option<State> {
        let metas = self
            .results()
            .fetch(&[task_id.to_owned()])
            .await
            .expect("metas are fetched");
        metas.into_iter().next().flatten().map(|meta| meta.status)
    }

    pub(super) async fn restored_group(&self, group_id: &str) -> Option<Value> {
        let restored = self.results().restore_group(group_id).await;
        restored.expect("groups are looked up")
    }

    /// Drops what has expired.
    pub(super) async fn clean_up(&self) {
        let cleaned = self.results().cleanup().await;
        cleaned.expect("cleaning up works");
    }
}

/// A consumer and what it tells. Dropping it is its death.
pub(super) struct Member {
    pub(super) consumer: Arc<dyn Consumer>,
    notices: Mutex<mpsc::Receiver<Notice>>,
}

impl Member {
    /// Reserves until there are this many deliveries.
    pub(super) async fn take(&self, count: usize) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let more = within(
                "a message to reserve",
                self.consumer.reserve(count - taken.len()),
            )
            .await;
            taken.extend(more.expect("reserving works"));
        }
        taken
    }

    pub(super) async fn take_one(&self) -> Delivery {
        self.take(1).await.remove(0)
    }

    /// Takes this many and returns their ids.
    pub(super) async fn take_ids(&self, count: usize) -> Vec<String> {
        self.take(count).await.iter().map(id).collect()
    }

    /// Nothing can be reserved for a while.
    pub(super) async fn assert_quiet(&self) {
        if let Ok(unexpected) = timeout(QUIET, self.consumer.reserve(1)).await {
            panic!("nothing should be ready, but there was {unexpected:?}");
        }
    }

    pub(super) async fn settle(&self, tag: &Tag, verdict: Verdict) -> Settled {
        self.settle_one(Settlement::new(tag.clone(), verdict)).await
    }

    pub(super) async fn settle_one(&self, settlement: Settlement) -> Settled {
        self.settle_all(vec![settlement]).await[0]
    }

    pub(super) async fn settle_all(&self, batch: Vec<Settlement>) -> Vec<Settled> {
        let count = batch.len();
        let settled = within("a settlement", self.consumer.settle(batch))
            .await
            .expect("settling works");
        assert_eq!(settled.len(), count, "one answer for each settlement");
        settled
    }

    /// Carries out a verdict on a message that is held.
    pub(super) async fn give(&self, delivery: &Delivery, verdict: Verdict) {
        assert_eq!(self.settle(&delivery.tag, verdict).await, Settled::Done);
    }

    pub(super) async fn ack(&self, delivery: &Delivery) {
        self.give(delivery, Verdict::Ack).await;
    }

    pub(super) async fn close(&self) -> usize {
        self.consumer.close().await.expect("a consumer closes")
    }

    /// Waits for a notice that `pick` accepts.
    pub(super) async fn notice<T>(&self, what: &str, pick: impl Fn(Notice) -> Option<T>) -> T {
        let mut notices = self.notices.lock().await;
        let search = async {
            loop {
                let notice = notices.recv().await.expect("the consumer lives");
                if let Some(found) = pick(notice) {
                    return found;
                }
            }
        };
        within(what, search).await
    }
}

/// Waits for something that must come.
pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("waited {DEADLINE:?} for {what}"),
    }
}

/// Waits until a question is answered with yes.
pub(super) async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    within(what, async {
        while !ask().await {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A task message with this id.
pub(super) fn message(id: &str) -> Message {
    let mut message = Message {
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: Bytes::from_static(b"[[], {}, {\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}]"),
        ..Message::default()
    };
    message.headers.task = Some("conformance.task".to_owned());
    message.headers.id = Some(id.to_owned());
    message.headers.timelimit = Some(TimeLimit::default());
    message.headers.root_id = Some(id.to_owned());
    message.properties.correlation_id = Some(id.to_owned());
    message
}

pub(super) fn prioritised(id: &str, priority: i64) -> Message {
    let mut message = message(id);
    message.properties.priority = Some(priority);
    message
}

pub(super) fn publish(queue: &str, message: Message) -> Publish {
    Publish {
        message,
        route: Route::queue(queue),
    }
}

/// The task's id of a delivery that can be understood.
pub(super) fn id(delivery: &Delivery) -> String {
    let message = delivery
        .message
        .as_ref()
        .expect("the message can be understood");
    message
        .headers
        .id
        .clone()
        .expect("conformance messages have an id")
}

/// `prefix0`, `prefix1`, …
pub(super) fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}{number}"))
        .collect()
}

pub(super) fn borrowed(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

/// A meta as a worker would store it.
pub(super) fn meta(task_id: &str, status: State, result: impl Into<Value>) -> TaskMeta {
    TaskMeta::new(task_id, status, result.into())
}

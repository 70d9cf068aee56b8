//! A broker that can be taken away, and an outbox before it.

use std::sync::Arc;
use std::time::Duration;

use broker::faults::{Faults, inject};
use broker::{Admin as _, Backends, Broker, MemoryBroker, Publish, Route};
use bytes::Bytes;
use outbox::{Outbox, OutboxBroker, OutboxOptions, Sender};
use protocol::{Limits, Message};
use tempfile::TempDir;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    memory: MemoryBroker,
    backends: Backends,
    pub(crate) faults: Faults,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let memory = MemoryBroker::new();
        let (backends, faults) = inject(memory.backends());
        Self {
            folder: TempDir::new().unwrap(),
            memory,
            backends,
            faults,
        }
    }

    pub(crate) fn options(&self) -> OutboxOptions {
        OutboxOptions::new(self.folder.path().join("outbox.db"))
    }

    pub(crate) async fn open(&self) -> Arc<OutboxBroker> {
        self.open_with(self.options()).await
    }

    pub(crate) async fn open_with(&self, options: OutboxOptions) -> Arc<OutboxBroker> {
        let outbox = Outbox::open(options).await.unwrap();
        OutboxBroker::start(self.backends.broker.clone(), outbox)
    }

    pub(crate) fn broker(&self) -> Arc<dyn Broker> {
        self.backends.broker.clone()
    }

    /// An outbox in which these wait for a broker that is down, and its sender; nobody else sends.
    pub(crate) async fn with_waiting(&self, ids: &[&str]) -> (Arc<Outbox>, Sender) {
        let outbox = Outbox::open(self.options()).await.unwrap();
        for id in ids {
            outbox.add(&[publish("q", id)]).await.unwrap();
        }
        (outbox.clone(), Sender::new(outbox, self.broker()))
    }

    /// What the broker has got, oldest first.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Message> {
        let raw = self.memory.peek(queue, usize::MAX).await.unwrap();
        let read = |raw: &Bytes| Message::from_envelope(raw, &Limits::default()).unwrap();
        raw.iter().map(read).collect()
    }

    /// The ids of what the broker has got, oldest first.
    pub(crate) async fn delivered(&self, queue: &str) -> Vec<String> {
        let messages = self.messages(queue).await.into_iter();
        messages
            .map(|message| message.headers.id.unwrap())
            .collect()
    }
}

pub(crate) fn publish(queue: &str, id: &str) -> Publish {
    let mut message = Message {
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: Bytes::from_static(b"[[], {}, {}]"),
        ..Message::default()
    };
    message.headers.task = Some("tests.task".to_owned());
    message.headers.id = Some(id.to_owned());
    Publish {
        message,
        route: Route::queue(queue),
    }
}

pub(crate) async fn send(broker: &OutboxBroker, ids: &[&str]) {
    for id in ids {
        broker.publish(vec![publish("q", id)]).await.unwrap();
    }
}

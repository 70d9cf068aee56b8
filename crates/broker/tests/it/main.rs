//! The memory broker against the conformance suite, and the decorators on it.
#![allow(clippy::unwrap_used)]

mod claims;
mod conformance;
mod faults;
mod memory;
mod split;

use std::time::Duration;

use broker::{ConsumerParams, Notice, Publish, QueueOrder, Route};
use protocol::{Limits, Message};
use tokio::sync::mpsc;

fn params(queue: &str) -> (ConsumerParams, mpsc::Receiver<Notice>) {
    let (sender, notices) = mpsc::channel(64);
    let params = ConsumerParams {
        node: "test@host".to_owned(),
        queues: vec![queue.to_owned()],
        order: QueueOrder::RoundRobin,
        lease: Duration::from_millis(800),
        visibility_timeout: Duration::from_secs(3600),
        limits: Limits::default(),
        notices: sender,
    };
    (params, notices)
}

fn publish(queue: &str, id: &str) -> Publish {
    let mut message = Message::default();
    message.headers.id = Some(id.to_owned());
    Publish {
        message,
        route: Route::queue(queue),
    }
}

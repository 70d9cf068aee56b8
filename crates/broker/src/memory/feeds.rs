//! Live feeds: what is behind a [`Subscription`].

use std::sync::Arc;

use protocol::{Limits, Message};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::bindings::topic_matches;
use super::shared::{Broadcast, Shared};
use crate::{Source, Subscription};

const BUFFER: usize = 64;

/// Starts listening; what is sent after this returns is not missed.
pub(super) fn subscribe(shared: Arc<Shared>, source: Source) -> Subscription {
    let (sender, receiver) = mpsc::channel(BUFFER);
    let stop = shared.closed.child_token();
    let guard = stop.clone().drop_guard();
    match source {
        Source::Broadcast {
            exchange,
            binding_key,
        } => {
            let feed =
                feed_broadcasts(shared.broadcasts.subscribe(), exchange, binding_key, sender);
            tokio::spawn(async move { stop.run_until_cancelled(feed).await });
        }
        Source::Mailbox {
            exchange,
            routing_key,
            queue,
            ..
        } => {
            shared.change(|state| state.bindings.bind_mailbox(&exchange, &routing_key, &queue));
            tokio::spawn(async move {
                stop.run_until_cancelled(feed_mailbox(&shared, &queue, sender))
                    .await;
                shared.change(|state| {
                    state
                        .bindings
                        .unbind_mailbox(&exchange, &routing_key, &queue);
                    state.queues.purge(&queue);
                });
            });
        }
    }
    Subscription::new(receiver, guard)
}

/// Passes on what matches; a listener that lags too far behind misses the oldest, and the log says how many.
async fn feed_broadcasts(
    mut broadcasts: Receiver<Broadcast>,
    exchange: String,
    binding_key: String,
    sender: mpsc::Sender<Message>,
) {
    loop {
        match broadcasts.recv().await {
            Ok(sent)
                if sent.exchange == exchange && topic_matches(&binding_key, &sent.routing_key) =>
            {
                if sender.send(sent.message).await.is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(%exchange, missed, "a slow listener missed broadcasts")
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Takes a message only when there is room for it, so that a slow reader leaves the rest in its queue.
async fn feed_mailbox(shared: &Shared, queue: &str, sender: mpsc::Sender<Message>) {
    while let Ok(room) = sender.reserve().await {
        let item = shared.wait_for(|state| state.queues.pop_any(queue)).await;
        match item.decode(&Limits::default()) {
            Ok(message) => room.send(message),
            Err(error) => {
                tracing::warn!(queue, %error, "a message in a mailbox cannot be understood")
            }
        }
    }
}

//! Listening to an exchange that is broadcast on.

use std::sync::Arc;

use broker::Subscription;
use protocol::{Limits, Message};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::{Cursor, RENEW_EVERY, Reader, Renewal, WAITING, run, stopper, unlisten};
use crate::bell::News;
use crate::error::Result;
use crate::operations::feed::Listen;
use crate::reads::FeedEntry;
use crate::store::Store;
use crate::wire::topic_matches;

/// Registers a listener and starts its reader.
pub(crate) async fn subscribe(
    store: Arc<Store>,
    exchange: String,
    binding_key: String,
) -> Result<Subscription> {
    let listen = Listen {
        listener: Uuid::new_v4().to_string(),
        exchange,
        keys: vec![binding_key],
    };
    let news = store.bell.hear(News::Feed);
    let after = store.write(listen.clone()).await?.unwrap_or_default();
    let (messages, received) = mpsc::channel(WAITING);
    let (stop, guard) = stopper(&store);
    let cursor = Cursor {
        store: store.clone(),
        exchange: listen.exchange.clone(),
        keys: None,
        after,
    };
    let reader = BroadcastReader {
        cursor,
        listen,
        news,
        messages,
        renewal: Renewal::new(RENEW_EVERY),
    };
    store.clone().tasks.spawn(async move {
        let listener = reader.listen.listener.clone();
        stop.run_until_cancelled_owned(run(reader)).await;
        unlisten(&store, listener).await;
    });
    Ok(Subscription::new(received, guard))
}

struct BroadcastReader {
    cursor: Cursor,
    listen: Listen,
    news: watch::Receiver<u64>,
    messages: mpsc::Sender<Message>,
    renewal: Renewal,
}

impl Reader for BroadcastReader {
    const WHAT: &'static str = "the feed of broadcasts";

    fn news(&mut self) -> &mut watch::Receiver<u64> {
        &mut self.news
    }

    async fn turn(&mut self) -> Result<bool> {
        if self.renewal.is_due()
            && let Some(after) = self.cursor.store.write(self.listen.clone()).await?
        {
            self.cursor.after = after;
        }
        let entries = self.cursor.advance().await?;
        let found = !entries.is_empty();
        for entry in entries {
            self.pass_on(entry).await;
        }
        Ok(found)
    }
}

impl BroadcastReader {
    async fn pass_on(&self, (_, key, body): FeedEntry) {
        if !self
            .listen
            .keys
            .iter()
            .any(|binding_key| topic_matches(binding_key, &key))
        {
            return;
        }
        match Message::from_envelope(&body, &Limits::default()) {
            // A subscriber that has gone ends this task through its guard.
            Ok(message) => self.messages.send(message).await.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, exchange = %self.listen.exchange, "a broadcast cannot be read")
            }
        }
    }
}

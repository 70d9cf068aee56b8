//! Listening to broadcasts: what the hub hears, decoded. Messages that cannot be decoded are counted in the log and left out.

use std::sync::Arc;

use broker::{Result, Subscription};
use protocol::{Limits, Message};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::hub::{Heard, Hub, Listening};

/// Decoded messages that wait for a slow reader; what comes on top waits, and is dropped, in the hub.
pub(crate) const BUFFER: usize = 64;

/// Listens to a pattern; returns when the server has confirmed it.
pub(crate) async fn start(hub: &Arc<Hub>, pattern: String, limits: Limits) -> Result<Subscription> {
    let listening = hub.listen(true, vec![pattern]).await?;
    let (messages, receiver) = mpsc::channel(BUFFER);
    let stop = CancellationToken::new();
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(feed(listening, messages, limits)),
    );
    Ok(Subscription::new(receiver, stop.drop_guard()))
}

async fn feed(listening: Listening, messages: mpsc::Sender<Message>, limits: Limits) {
    loop {
        let payload = match listening.next().await {
            Heard::Payload(payload) => payload,
            Heard::Gap => continue,
            Heard::End => return,
        };
        if let Some(message) = decode(&payload, &limits)
            && messages.send(message).await.is_err()
        {
            return;
        }
    }
}

/// A message that was not meant to be held: one that cannot be understood is left out.
pub(crate) fn decode(payload: &[u8], limits: &Limits) -> Option<Message> {
    match Message::from_envelope(payload, limits) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::warn!(%error, bytes = payload.len(), "a message on a channel cannot be understood");
            None
        }
    }
}

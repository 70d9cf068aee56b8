//! What waits on the broker for its time: the worker holds none of it, but can look at it, and see to it that what is revoked leaves.

use std::sync::Arc;
use std::time::Duration;

use broker::Deferred;
use jiff::Timestamp;
use protocol::{Message, TaskRequest};
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::engine::Engine;

/// How many waiting messages are looked at, soonest first.
const LOOKED_AT: usize = 1_000;
/// Between two looks for what is revoked, however often somebody revokes.
const PAUSE: Duration = Duration::from_secs(1);

/// A message that waits for one of this worker's queues.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The broker's name for it.
    id: String,
    pub(crate) due: Timestamp,
    pub(crate) request: TaskRequest,
}

/// What waits for the queues of this worker.
pub(crate) async fn waiting(engine: &Engine) -> Vec<Waiting> {
    let admin = &engine.client.backends().admin;
    let deferred = admin.deferred(LOOKED_AT).await.unwrap_or_else(|error| {
        warn!(%error, "cannot ask what is scheduled");
        Vec::new()
    });
    let mine = |deferred: &Deferred| engine.queues.contains(&deferred.queue);
    let read = |deferred: Deferred| {
        let settings = &engine.settings;
        let message = Message::from_envelope(&deferred.raw, &settings.limits).ok()?;
        let request =
            TaskRequest::from_message(&message, &settings.accept_content, &settings.limits).ok()?;
        Some(Waiting {
            id: deferred.id,
            due: deferred.due,
            request,
        })
    };
    deferred.into_iter().filter(mine).filter_map(read).collect()
}

/// Has what is revoked wait no longer, whenever something was revoked: it is delivered, and discarded as any revoked message. What
/// is too far away to be seen is discarded when it is due.
pub(crate) async fn hasten_revoked(engine: Arc<Engine>) {
    let mut changes = engine.revocations.changes();
    while changes.changed().await.is_ok() {
        hasten(&engine).await;
        sleep(PAUSE).await;
    }
}

async fn hasten(engine: &Engine) {
    let mut revoked = waiting(engine).await;
    revoked.retain(|waiting| engine.revocations.covers(&waiting.request));
    if revoked.is_empty() {
        return;
    }
    let ids: Vec<String> = revoked.into_iter().map(|waiting| waiting.id).collect();
    match engine.client.backends().admin.hasten(&ids).await {
        Ok(hastened) => debug!(hastened, "revoked messages wait no longer"),
        Err(error) => warn!(%error, "revoked messages wait until they are due"),
    }
}

//! Moves deferred messages to their queues when their time has come. It sleeps until then, or until the bell tells of a new one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::Incarnation;
use crate::bell::News;
use crate::clock::wall_ms;
use crate::error::Result;
use crate::operations::deferred::Promote;
use crate::reads;

/// Sleeps no longer than this, since somebody may set the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// After a failure.
const RETRY: Duration = Duration::from_millis(100);

/// Runs until it is cancelled.
pub(super) async fn run(incarnation: Arc<Incarnation>) {
    let mut deferred = incarnation.store.bell.hear(News::Deferred);
    loop {
        deferred.borrow_and_update();
        let wait = promote(&incarnation).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "due messages were not moved to their queues; trying again");
            RETRY
        });
        wait_for(&mut deferred, wait).await;
    }
}

/// Moves what is due; returns how long until the next is.
async fn promote(incarnation: &Incarnation) -> Result<Duration> {
    let store = &incarnation.store;
    loop {
        let Some(due) = reads::next_due(&store.readers).await? else {
            return Ok(LONGEST_SLEEP);
        };
        let left = due - wall_ms();
        if left > 0 {
            return Ok(Duration::from_millis(left.unsigned_abs()).min(LONGEST_SLEEP));
        }
        store.write(Promote).await?;
    }
}

async fn wait_for(deferred: &mut watch::Receiver<u64>, wait: Duration) {
    // Both ends of the wait lead to the same look.
    timeout(wait, deferred.changed()).await.ok();
}

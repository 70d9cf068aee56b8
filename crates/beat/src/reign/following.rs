//! How the leader follows the schedule: it is read beside the sending, and changes are adopted some at a time, so that a
//! schedule of any size can change while it is sent.

use std::collections::VecDeque;
use std::time::Duration;

use broker::Result;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::{BATCH, Reign};
use crate::known::Change;
use crate::plan::Writes;

/// How often the leader asks whether the schedule has changed.
const LOOK: Duration = Duration::from_millis(500);

/// What was read and not adopted yet, and the look that is under way.
#[derive(Debug)]
pub(super) struct Following {
    changes: VecDeque<Change>,
    looking: Option<JoinHandle<Result<Vec<Change>>>>,
    look_at: Instant,
}

impl Following {
    /// The schedule was read just now.
    pub(super) fn new() -> Self {
        Self {
            changes: VecDeque::new(),
            looking: None,
            look_at: Instant::now() + LOOK,
        }
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Waits until it is time to look, or a look has ended. Cancel-safe.
    pub(super) async fn changed(&mut self) {
        let Some(looking) = &mut self.looking else {
            return sleep_until(self.look_at).await;
        };
        let seen = looking.await;
        self.looking = None;
        self.look_at = Instant::now() + LOOK;
        // A panic of the look, or a source that cannot be read: the schedule stays as it is.
        let Ok(Ok(changes)) = seen else { return };
        if !changes.is_empty() {
            tracing::info!(entries = changes.len(), "the schedule has changed");
        }
        self.changes.extend(changes);
    }

    fn is_over(&self) -> bool {
        self.looking.as_ref().is_some_and(JoinHandle::is_finished)
    }
}

impl Reign<'_> {
    /// Looks when it is time, and adopts some of what has changed; `false` when the lease is lost. While the schedule's source
    /// cannot be read, beat goes on with what it knows.
    pub(super) async fn follow(&mut self) -> Result<bool> {
        if self.following.is_over() {
            self.following.changed().await;
        }
        if self.following.looking.is_none() && Instant::now() >= self.following.look_at {
            let known = self.beat.known().clone();
            let look = async move { known.refresh().await };
            self.following.looking = Some(tokio::spawn(look));
        }
        if !self.following.has_changes() {
            return Ok(true);
        }
        let now = self.beat.now();
        let some = self.following.changes.len().min(BATCH);
        let changes = self.following.changes.drain(..some);
        let writes: Writes = changes
            .filter_map(|change| self.plan.change(change, now))
            .collect();
        self.count_entries();
        self.write(writes).await
    }
}

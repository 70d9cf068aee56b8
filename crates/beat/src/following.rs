//! How a beat follows the schedule: it is read beside whatever else happens, and changes are taken some at a time, so that a
//! schedule of any size can change while it is sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::known::{Change, KnownSchedule};

/// How often a beat asks whether the schedule has changed.
pub(crate) const LOOK: Duration = Duration::from_millis(500);

/// What was read and not taken yet, and the look that is under way.
#[derive(Debug)]
pub(crate) struct Following {
    changes: VecDeque<Change>,
    looking: Option<JoinHandle<Vec<Change>>>,
    look_at: Instant,
}

impl Following {
    /// The schedule was read just now.
    pub(crate) fn new() -> Self {
        Self {
            changes: VecDeque::new(),
            looking: None,
            look_at: Instant::now() + LOOK,
        }
    }

    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Waits until it is time to look, or a look has ended. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        if self.looking.is_none() {
            sleep_until(self.look_at).await;
        }
        self.seen().await;
    }

    /// Waits for the look that is under way, if one is. Cancel-safe.
    pub(crate) async fn seen(&mut self) {
        let Some(looking) = &mut self.looking else {
            return;
        };
        let seen = looking.await;
        self.looking = None;
        self.look_at = Instant::now() + LOOK;
        // A look that panics leaves the schedule as it is.
        let changes = seen.unwrap_or_default();
        if !changes.is_empty() {
            tracing::info!(entries = changes.len(), "the schedule has changed");
        }
        self.changes.extend(changes);
    }

    /// Looks when it is time. Does not wait.
    pub(crate) async fn look(&mut self, known: &Arc<KnownSchedule>) {
        if self.looking.as_ref().is_some_and(JoinHandle::is_finished) {
            self.seen().await;
        }
        if self.looking.is_none() && Instant::now() >= self.look_at {
            let known = Arc::clone(known);
            let look = async move { known.refresh().await };
            self.looking = Some(tokio::spawn(look));
        }
    }

    /// Takes up to so many changes, in the order in which they came.
    pub(crate) fn take(&mut self, most: usize) -> impl Iterator<Item = Change> {
        let some = self.changes.len().min(most);
        self.changes.drain(..some)
    }
}

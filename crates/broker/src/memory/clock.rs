//! The broker's clock: tokio's, so that a paused test clock also stops leases and deferred messages.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Joins wall-clock time with tokio's clock at the moment of its creation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    wall: Timestamp,
    tokio: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self::showing(Timestamp::now())
    }

    /// One that shows this time now.
    pub(super) fn showing(wall: Timestamp) -> Self {
        Self {
            wall,
            tokio: Instant::now(),
        }
    }

    /// Now, in wall-clock time.
    pub(super) fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.tokio.elapsed()).unwrap_or(SignedDuration::MAX);
        self.wall.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// How long it is until `at`; zero when it is past.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.now())).unwrap_or_default()
    }
}

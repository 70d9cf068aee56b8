//! Whether the worker's loop still turns, for a watchdog.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A handle on the worker's pulse. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health {
    since: Instant,
    beat: Arc<AtomicU64>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            beat: Arc::default(),
        }
    }
}

impl Health {
    pub(crate) fn beat(&self) {
        self.beat.store(self.now(), Ordering::Relaxed);
    }

    /// How long ago the worker's loop last turned; it turns every second while all is well.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.beat.load(Ordering::Relaxed)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

//! What the world may ask of a worker while it runs: whether its loop still turns, and what every task is doing.

mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::Engine;

/// The worker's pulse.
#[derive(Debug)]
pub(crate) struct Vitals {
    since: Instant,
    /// When the loop last turned, in milliseconds after `since`.
    beat: AtomicU64,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            beat: AtomicU64::new(0),
        }
    }
}

impl Vitals {
    pub(crate) fn beat(&self) {
        self.beat.store(self.now(), Ordering::Relaxed);
    }

    fn age(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.beat.load(Ordering::Relaxed)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A handle on a worker, for whoever watches it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health(pub(crate) Arc<Engine>);

impl Health {
    /// How long ago the worker's loop last turned; it turns every second while all is well.
    pub fn age(&self) -> Duration {
        self.0.vitals.age()
    }

    /// Writes to the log what every task is doing.
    pub fn report(&self) {
        report::report(&self.0);
    }
}

//! What the world may ask of a worker while it runs: whether its loop turns, whether it consumes, what every task is doing, and its
//! metrics. Who answers the world is not its business.

mod metrics;
mod readiness;
mod report;
mod stall;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::engine::Engine;
pub(crate) use metrics::Metrics;
pub use readiness::Readiness;
pub(crate) use stall::{Stall, Step};

/// The signs of life that the worker's components leave.
#[derive(Debug)]
pub(crate) struct Vitals {
    since: Instant,
    /// When the loop last turned, in milliseconds after `since`.
    beat: AtomicU64,
    /// How many messages were taken.
    taken: AtomicU64,
    readiness: watch::Sender<Readiness>,
    /// Since when the connection to the broker is lost.
    outage: Mutex<Option<Instant>>,
    /// When the lease was last renewed.
    lease: Mutex<Option<Instant>>,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            beat: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            readiness: watch::Sender::default(),
            outage: Mutex::default(),
            lease: Mutex::default(),
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

    pub(crate) fn take(&self, messages: usize) {
        self.taken.fetch_add(messages as u64, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Notes the judgement, and tells those who wait for another one.
    pub(crate) fn judge(&self, readiness: Readiness) {
        self.readiness
            .send_if_modified(|before| std::mem::replace(before, readiness) != readiness);
    }

    pub(crate) fn readiness(&self) -> Readiness {
        *self.readiness.borrow()
    }

    /// The connection is lost, or back.
    pub(crate) fn connected(&self, is: bool) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        *outage = (!is).then(|| outage.unwrap_or_else(Instant::now));
    }

    /// The lease was renewed so long ago.
    pub(crate) fn lease_is(&self, age: Duration) {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        *lease = Instant::now().checked_sub(age);
    }

    /// How long ago the lease was renewed, as far as is known.
    pub(crate) fn lease_age(&self) -> Option<Duration> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.map(|renewed| renewed.elapsed())
    }

    /// How long the connection has been lost.
    pub(crate) fn outage(&self) -> Option<Duration> {
        let outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.map(|since| since.elapsed())
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

    /// Whether the worker consumes.
    pub fn readiness(&self) -> Readiness {
        self.0.vitals.readiness()
    }

    /// Waits until the worker's readiness is another one, and gives it; `None` when the worker has ended.
    pub async fn changed(&self, from: Readiness) -> Option<Readiness> {
        let mut readiness = self.0.vitals.readiness.subscribe();
        let changed = readiness.wait_for(|now| *now != from).await;
        changed.ok().map(|now| *now)
    }

    /// The node and its queues, in words.
    pub fn description(&self) -> String {
        let settings = &self.0.settings;
        format!(
            "{} consumes {}",
            settings.hostname,
            settings.queues.join(",")
        )
    }

    /// The worker's metrics as OpenMetrics text.
    pub fn metrics(&self) -> String {
        self.0.metrics.text(&self.0)
    }

    /// Writes to the log what every task is doing.
    pub fn report(&self) {
        report::report(&self.0);
    }
}

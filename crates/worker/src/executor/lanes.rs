//! Lanes: each has a slot and runs in it what waits, one run after the other; and whoever looks after what no lane comes to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep_until;
use tracing::debug;

use super::backlog::Waiting;
use super::{Inner, Permits};

/// A lane gives its slot up after so many runs: a pool that shrinks waits for it.
const RUNS: usize = 256;
/// How long a run that is held ahead of the slots may wait for one. Then it is given back, for some run takes longer than was expected.
pub(super) const PATIENCE: Duration = Duration::from_millis(10);

/// A slot in use.
pub(super) struct Lane {
    inner: Arc<Inner>,
    slot: Arc<OwnedSemaphorePermit>,
}

impl Lane {
    /// Runs what waits in this slot.
    pub(super) fn open(inner: &Arc<Inner>, slot: OwnedSemaphorePermit) {
        let lane = Self {
            inner: Arc::clone(inner),
            slot: Arc::new(slot),
        };
        inner.tracker.spawn(lane.run());
    }

    /// Runs one after the other until nothing waits, the worker stops, or a thread that was given up keeps the slot.
    pub(super) async fn run(self) {
        for _ in 0..RUNS {
            if self.inner.shutdown.is_requested() || Arc::strong_count(&self.slot) > 1 {
                return;
            }
            let Some(Waiting { run, place, .. }) = self.inner.backlog.pop() else {
                return;
            };
            let permits = Permits {
                ending: None,
                place,
                _slot: Arc::clone(&self.slot),
            };
            self.inner.execute(&run, permits).await;
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if !self.inner.backlog.is_empty() {
            self.inner.backlog.call();
        }
    }
}

/// Opens lanes for what came when every slot was in use, and gives back what waits too long, until the worker stops.
pub(super) async fn look_after(inner: Arc<Inner>) {
    let shutdown = inner.shutdown.clone();
    tokio::select! {
        () = shutdown.requested() => {}
        () = async { loop {
            inner.backlog.called().await;
            while !inner.backlog.is_empty() {
                serve(&inner).await;
            }
        } } => {}
    }
}

/// Waits for a slot, or until something has waited too long.
async fn serve(inner: &Arc<Inner>) {
    let places = inner.engine.pool.places();
    // What is held because of the prefetch multiplier waits as long as it takes.
    let patient = places.waiting();
    let since = inner.backlog.waits_behind(patient);
    let too_long = async {
        match since {
            Some(since) => sleep_until(since + PATIENCE).await,
            // Nothing does, until more comes.
            None => inner.backlog.called().await,
        }
    };
    tokio::select! {
        biased;
        slot = inner.engine.pool.slots().take() => Lane::open(inner, slot),
        () = too_long => {
            if inner.backlog.waits_behind(patient).is_some_and(|since| since.elapsed() >= PATIENCE) {
                debug!("a run takes longer than expected; what waits behind it is given back");
                places.pace().slow_down();
                inner.give_back(patient).await;
            }
        }
    }
}

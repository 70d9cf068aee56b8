//! Lanes: each has a slot and runs in it what waits, one run after the other; and whoever looks after what no lane comes to.
//!
//! A lane is a task of the runtime. Those whose runs have not had to wait are beginners, and there are no more of them than threads of the
//! runtime: another could not go on beside them. One whose run waits makes room for the next.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep_until;
use tracing::debug;

use super::backlog::Waiting;
use super::{Inner, Permits};

/// A lane gives its slot up after so many runs: a pool that shrinks waits for it.
const RUNS: usize = 256;
/// How long a run that is held ahead of the slots may wait for one. Then it is given back, for some run takes longer than was expected.
pub(super) const PATIENCE: Duration = Duration::from_millis(10);
/// How long a run may wait for a beginner while a slot is free. Then it has a lane of its own, for a run keeps its thread to itself.
const STUCK: Duration = Duration::from_millis(5);

/// Counts the beginners.
#[derive(Debug)]
pub(super) struct Beginners {
    count: AtomicUsize,
    most: usize,
}

impl Beginners {
    /// As many as threads of the runtime that this is called in.
    pub(super) fn of_this_runtime() -> Self {
        Self {
            count: 0.into(),
            most: Handle::current().metrics().num_workers(),
        }
    }

    fn are_enough(&self) -> bool {
        self.count.load(Ordering::Acquire) >= self.most
    }
}

/// A lane whose runs have not had to wait, counted until this is dropped.
struct Beginner(Arc<Inner>);

impl Beginner {
    fn enter(inner: &Arc<Inner>) -> Option<Self> {
        let Beginners { count, most } = &inner.beginners;
        let one_more = |count: usize| (count < *most).then(|| count + 1);
        count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_ok()
            .then(|| Self(Arc::clone(inner)))
    }
}

impl Drop for Beginner {
    fn drop(&mut self) {
        self.0.beginners.count.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A slot in use. Its parts are dropped in their order: whoever comes to the rest finds the slot free.
pub(super) struct Lane {
    slot: Arc<OwnedSemaphorePermit>,
    beginner: Option<Beginner>,
    rest: Rest,
}

impl Lane {
    /// Sees to it that a lane comes to what waits: a beginner, or a new one if there is a slot for it.
    pub(super) fn call(inner: &Arc<Inner>) {
        let beginner = Beginner::enter(inner);
        let slot = beginner
            .as_ref()
            .and_then(|_| inner.engine.pool.slots().try_take());
        match slot {
            Some(slot) => Self::open(inner, slot, beginner),
            None => inner.backlog.call(),
        }
    }

    fn open(inner: &Arc<Inner>, slot: OwnedSemaphorePermit, beginner: Option<Beginner>) {
        let lane = Self {
            slot: Arc::new(slot),
            beginner,
            rest: Rest(Arc::clone(inner)),
        };
        inner.tracker.spawn(lane.run());
    }

    /// Runs one after the other until nothing waits, the worker stops, or a thread that was given up keeps the slot.
    pub(super) async fn run(mut self) {
        for _ in 0..RUNS {
            let inner = &self.rest.0;
            if inner.shutdown.is_requested() || Arc::strong_count(&self.slot) > 1 {
                return;
            }
            let Some(Waiting { run, place, .. }) = inner.backlog.pop() else {
                return;
            };
            let permits = Permits {
                ending: None,
                place,
                _slot: Arc::clone(&self.slot),
            };
            let mut running = pin!(inner.execute(&run, permits));
            poll_fn(|context| {
                let polled = running.as_mut().poll(context);
                if polled.is_pending() && self.beginner.take().is_some() {
                    self.rest.hand_on();
                }
                polled
            })
            .await;
        }
    }
}

/// What a lane leaves to others: when it waits, and when it ends.
struct Rest(Arc<Inner>);

impl Rest {
    fn hand_on(&self) {
        let inner = &self.0;
        if !inner.backlog.is_empty() && !inner.shutdown.is_requested() {
            Lane::call(inner);
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.hand_on();
    }
}

/// Opens lanes for what neither a slot nor a beginner came to, and gives back what waits too long, until the worker stops.
pub(super) async fn look_after(inner: Arc<Inner>) {
    let shutdown = inner.shutdown.clone();
    tokio::select! {
        () = shutdown.requested() => {}
        () = async { loop {
            inner.backlog.called().await;
            while !inner.backlog.is_empty() {
                if !beginners_come(&inner).await {
                    serve(&inner).await;
                }
            }
        } } => {}
    }
}

/// Whether there are beginners enough, and they come to what waits in time.
async fn beginners_come(inner: &Inner) -> bool {
    let Some(since) = inner.backlog.waits_behind(0) else {
        return true;
    };
    if !inner.beginners.are_enough() {
        return false;
    }
    sleep_until(since + STUCK).await;
    let still = inner.backlog.waits_behind(0);
    still.is_none_or(|since| since.elapsed() < STUCK)
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
        slot = inner.engine.pool.slots().take() => Lane::open(inner, slot, Beginner::enter(inner)),
        () = too_long => {
            if inner.backlog.waits_behind(patient).is_some_and(|since| since.elapsed() >= PATIENCE) {
                debug!("a run takes longer than expected; what waits behind it is given back");
                places.pace().slow_down();
                inner.give_back(patient).await;
            }
        }
    }
}

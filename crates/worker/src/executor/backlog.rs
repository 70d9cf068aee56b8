//! Runs that wait for a slot, in the order in which they came.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::admission::Run;
use crate::pools::Place;

/// A run that waits for a slot.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) run: Run,
    pub(super) place: Place,
    since: Instant,
}

/// All that wait.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    runs: Mutex<VecDeque<Waiting>>,
    /// Something may wait that no lane will come to by itself, or not in time.
    stranded: Notify,
}

impl Backlog {
    pub(super) fn push(&self, run: Run, place: Place) {
        let since = Instant::now();
        self.lock().push_back(Waiting { run, place, since });
    }

    pub(super) fn pop(&self) -> Option<Waiting> {
        self.lock().pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Since when the first run has waited behind so many others.
    pub(super) fn waits_behind(&self, others: usize) -> Option<Instant> {
        self.lock().get(others).map(|waiting| waiting.since)
    }

    /// Takes away all but the first so many, the last one first.
    pub(super) fn take_back(&self, all_but: usize) -> impl Iterator<Item = Waiting> + use<> {
        let mut runs = self.lock();
        let kept = all_but.min(runs.len());
        runs.split_off(kept).into_iter().rev()
    }

    /// Has whoever looks after those that wait look now.
    pub(super) fn call(&self) {
        self.stranded.notify_one();
    }

    pub(super) async fn called(&self) {
        self.stranded.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

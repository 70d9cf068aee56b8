//! A decorator that fails or stalls on command, for tests of what happens when a server goes away.
//!
//! [`inject`] wraps the broker, its consumers, the coordinator and the results of some [`Backends`]; the returned
//! [`Faults`] is the switch. A failing or stalled call never reaches what is wrapped.

mod decorators;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::{Backends, BrokerError, ErrorKind, Result};

use decorators::{FaultyBroker, FaultyCoordinator, FaultyResults};

/// The calls that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`Broker::publish`](crate::Broker::publish)
    Publish,
    /// [`Broker::consumer`](crate::Broker::consumer)
    Consumer,
    /// [`Broker::broadcast`](crate::Broker::broadcast)
    Broadcast,
    /// [`Broker::subscribe`](crate::Broker::subscribe)
    Subscribe,
    /// [`Consumer::reserve`](crate::Consumer::reserve)
    Reserve,
    /// [`Consumer::settle`](crate::Consumer::settle)
    Settle,
    /// [`Coordinator::now`](crate::Coordinator::now)
    Now,
    /// [`Coordinator::acquire`](crate::Coordinator::acquire)
    Acquire,
    /// [`Coordinator::load`](crate::Coordinator::load)
    Load,
    /// [`Coordinator::remember`](crate::Coordinator::remember)
    Remember,
    /// [`Coordinator::remembered`](crate::Coordinator::remembered)
    Remembered,
    /// [`Coordinator::commit`](crate::Coordinator::commit)
    Commit,
    /// [`ResultBackend::store`](crate::ResultBackend::store)
    Store,
    /// [`ResultBackend::fetch`](crate::ResultBackend::fetch)
    Fetch,
    /// [`ChordStore::open_chords`](crate::ChordStore::open_chords)
    OpenChords,
    /// [`ChordStore::grow_chord`](crate::ChordStore::grow_chord)
    GrowChord,
    /// [`ChordStore::count_part`](crate::ChordStore::count_part)
    CountPart,
    /// [`ChordStore::chord_parts`](crate::ChordStore::chord_parts)
    ChordParts,
    /// [`ChordStore::hold_chord`](crate::ChordStore::hold_chord)
    HoldChord,
    /// [`ChordStore::finish_chord`](crate::ChordStore::finish_chord)
    FinishChord,
}

/// Wraps all but the admin side.
pub fn inject(backends: Backends) -> (Backends, Faults) {
    let faults = Faults::default();
    let wrapped = Backends {
        broker: Arc::new(FaultyBroker::new(backends.broker, faults.clone())),
        admin: backends.admin,
        coordinator: Arc::new(FaultyCoordinator::new(backends.coordinator, faults.clone())),
        results: backends
            .results
            .map(|results| Arc::new(FaultyResults::new(results, faults.clone())) as _),
    };
    (wrapped, faults)
}

/// The switch. Clones share it.
#[derive(Clone, Debug)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
    stalled: Arc<watch::Sender<bool>>,
    /// How many of the consumers opened so far are deaf.
    deaf: Arc<watch::Sender<usize>>,
}

#[derive(Debug, Default)]
struct Plan {
    failures: HashMap<Call, (usize, ErrorKind)>,
    outage: bool,
    calls: HashMap<Call, usize>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            plan: Arc::default(),
            stalled: Arc::new(watch::Sender::new(false)),
            deaf: Arc::default(),
        }
    }
}

impl Faults {
    /// The next `times` calls of this kind fail.
    pub fn fail_next(&self, call: Call, times: usize, kind: ErrorKind) {
        self.with(|plan| plan.failures.insert(call, (times, kind)));
    }

    /// From now on every call fails as unreachable.
    pub fn go_down(&self) {
        self.with(|plan| plan.outage = true);
    }

    /// Ends [`Faults::go_down`].
    pub fn come_back(&self) {
        self.with(|plan| plan.outage = false);
    }

    /// From now on every call waits, as on a server that does not answer. Calls under way are not touched.
    pub fn stall(&self) {
        self.stalled.send_replace(true);
    }

    /// Ends [`Faults::stall`]; what waited goes on.
    pub fn resume(&self) {
        self.stalled.send_replace(false);
    }

    /// From now on the consumers that are open take nothing: their reservations wait for ever, also those under way. One that is
    /// opened later is not touched.
    pub fn deafen(&self) {
        self.deaf.send_replace(self.calls(Call::Consumer));
    }

    /// Waits until the consumer that was opened as this one of all is deaf.
    async fn deafened(&self, opened: usize) {
        let mut deaf = self.deaf.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        deaf.wait_for(|deaf| *deaf >= opened).await.ok();
    }

    /// How many calls of this kind were made, failed ones included.
    pub fn calls(&self, call: Call) -> usize {
        self.with(|plan| plan.calls.get(&call).copied().unwrap_or_default())
    }

    /// Counts the call, waits while stalled, then fails if that is planned.
    async fn pass(&self, call: Call) -> Result<()> {
        self.with(|plan| *plan.calls.entry(call).or_default() += 1);
        let mut stalled = self.stalled.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        stalled.wait_for(|stalled| !stalled).await.ok();
        match self.with(|plan| plan.next_failure(call)) {
            Some(kind) => Err(BrokerError::new(
                kind,
                format!("injected fault in {call:?}"),
            )),
            None => Ok(()),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        change(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Plan {
    fn next_failure(&mut self, call: Call) -> Option<ErrorKind> {
        if self.outage {
            return Some(ErrorKind::Unreachable);
        }
        let (left, kind) = self.failures.get_mut(&call).filter(|(left, _)| *left > 0)?;
        *left -= 1;
        Some(*kind)
    }
}

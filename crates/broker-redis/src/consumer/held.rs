//! What a consumer knows of its own holds: the tags it has handed out or is about to.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use broker::Delivery;
use foldhash::fast::RandomState;

#[derive(Debug, Default)]
struct State {
    tags: HashSet<Arc<str>, RandomState>,
    waiting: VecDeque<Delivery>,
}

/// The holds of one consumer.
#[derive(Debug, Default)]
pub(super) struct Holds {
    state: Mutex<State>,
}

impl Holds {
    /// Notes deliveries and keeps them for the next who reserves. What is known already is dropped.
    pub(super) fn add(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        let State { tags, waiting } = &mut *self.lock();
        let new = |delivery: &Delivery| tags.insert(Arc::clone(&delivery.tag.0));
        waiting.extend(deliveries.into_iter().filter(new));
    }

    /// Up to `max` deliveries that nobody was given yet.
    pub(super) fn take(&self, max: usize) -> Vec<Delivery> {
        let mut state = self.lock();
        let count = max.min(state.waiting.len());
        state.waiting.drain(..count).collect()
    }

    /// Whether nothing waits for somebody who reserves.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    /// The server holds this tag for us no more.
    pub(super) fn remove(&self, tag: &str) {
        self.lock().tags.remove(tag);
    }

    /// All tags.
    pub(super) fn tags(&self) -> Vec<Arc<str>> {
        self.lock().tags.iter().cloned().collect()
    }

    /// Forgets all holds: the incarnation was declared dead.
    pub(super) fn clear(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

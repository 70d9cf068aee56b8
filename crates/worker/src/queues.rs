//! Which queues a worker consumes now. Remote control changes them; the broker's consumer is told the names.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A queue and how it is bound, as whoever added it has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) exchange: String,
    pub(crate) exchange_type: String,
    pub(crate) routing_key: String,
}

impl Queue {
    /// A queue bound as Celery binds one of which nothing else is said.
    fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            exchange: name.to_owned(),
            exchange_type: "direct".to_owned(),
            routing_key: name.to_owned(),
        }
    }
}

/// The queues in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Queues(Mutex<Vec<Queue>>);

impl Queues {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(Mutex::new(
            names.iter().map(|name| Queue::plain(name)).collect(),
        ))
    }

    pub(crate) fn all(&self) -> Vec<Queue> {
        self.lock().clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().iter().map(|queue| queue.name.clone()).collect()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.lock().iter().any(|queue| queue.name == name)
    }

    /// Whether it is new.
    pub(crate) fn add(&self, queue: Queue) -> bool {
        let mut queues = self.lock();
        let new = queues.iter().all(|known| known.name != queue.name);
        if new {
            queues.push(queue);
        }
        new
    }

    /// Whether it was there.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut queues = self.lock();
        let before = queues.len();
        queues.retain(|queue| queue.name != name);
        queues.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

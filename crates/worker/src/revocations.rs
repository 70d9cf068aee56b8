//! Which task ids must not run: a bounded set, oldest forgotten first. It knows nothing of running tasks.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

/// Celery's `CELERY_WORKER_REVOKES_MAX`.
const MAX: usize = 50_000;

/// A bounded set of revoked ids. The check costs one atomic read while nothing is revoked.
#[derive(Debug, Default)]
pub(crate) struct Revocations {
    any: std::sync::atomic::AtomicBool,
    ids: Mutex<Ids>,
}

#[derive(Debug, Default)]
struct Ids {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Revocations {
    pub(crate) fn add(&self, id: &str) {
        let mut ids = self.lock();
        if !ids.known.insert(id.to_owned()) {
            return;
        }
        ids.order.push_back(id.to_owned());
        if ids.order.len() > MAX
            && let Some(oldest) = ids.order.pop_front()
        {
            ids.known.remove(&oldest);
        }
        self.any.store(true, std::sync::atomic::Ordering::Release);
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.any.load(std::sync::atomic::Ordering::Acquire) && self.lock().known.contains(id)
    }

    /// All ids, oldest first.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lock().order.iter().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ids> {
        self.ids
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_id_is_forgotten_when_the_bound_is_reached() {
        let revocations = Revocations::default();
        assert!(!revocations.contains("id-0"));
        for number in 0..=MAX {
            revocations.add(&format!("id-{number}"));
        }
        assert!(!revocations.contains("id-0"));
        assert!(revocations.contains("id-1"));
        assert!(revocations.contains(&format!("id-{MAX}")));
        assert_eq!(revocations.all().len(), MAX);
    }

    #[test]
    fn an_id_revoked_twice_counts_once() {
        let revocations = Revocations::default();
        revocations.add("a");
        revocations.add("a");
        assert_eq!(revocations.all(), ["a"]);
    }
}

//! A set of texts with a bound and an age: the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Celery's `LimitedSet`. When it is full, whatever is older than `expires` leaves it, and the oldest in any case.
#[derive(Debug)]
pub(crate) struct LimitedSet {
    max: usize,
    expires: Duration,
    /// The turn in which each text was added last.
    known: HashMap<Arc<str>, u64>,
    /// By age. What was added again since has an outdated turn and is passed over.
    order: VecDeque<Entry>,
    turn: u64,
}

#[derive(Debug)]
struct Entry {
    turn: u64,
    added: Instant,
    text: Arc<str>,
}

impl LimitedSet {
    pub(crate) fn new(max: usize, expires: Duration) -> Self {
        Self {
            max,
            expires,
            known: HashMap::new(),
            order: VecDeque::new(),
            turn: 0,
        }
    }

    /// Adds it, or makes it the youngest again.
    pub(crate) fn add(&mut self, text: &str) {
        self.turn += 1;
        let text: Arc<str> = text.into();
        self.known.insert(Arc::clone(&text), self.turn);
        self.order.push_back(Entry {
            turn: self.turn,
            added: Instant::now(),
            text,
        });
        if self.known.len() >= self.max {
            self.purge();
        }
        if self.order.len() > 2 * self.known.len() + 16 {
            let known = &self.known;
            self.order
                .retain(|entry| known.get(&entry.text) == Some(&entry.turn));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.known.contains_key(text)
    }

    /// Drops what is too old or too much.
    pub(crate) fn purge(&mut self) {
        while let Some(oldest) = self.order.front() {
            let current = self.known.get(&oldest.text) == Some(&oldest.turn);
            let excess = self.known.len() > self.max || oldest.added.elapsed() >= self.expires;
            if current && !excess {
                return;
            }
            if current {
                self.known.remove(&oldest.text);
            }
            self.order.pop_front();
        }
    }

    /// All texts, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let current = |entry: &&Entry| self.known.get(&entry.text) == Some(&entry.turn);
        self.order.iter().filter(current).map(|entry| &*entry.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    fn all(set: &LimitedSet) -> Vec<&str> {
        set.iter().collect()
    }

    #[test]
    fn the_oldest_leaves_when_the_bound_is_reached() {
        let mut set = LimitedSet::new(3, LONG);
        ["a", "b", "c", "d"].iter().for_each(|text| set.add(text));
        assert_eq!(all(&set), ["b", "c", "d"]);
        assert!(!set.contains("a"));
    }

    #[test]
    fn what_is_added_again_is_young_again() {
        let mut set = LimitedSet::new(3, LONG);
        ["a", "b", "a", "c", "d"]
            .iter()
            .for_each(|text| set.add(text));
        assert_eq!(all(&set), ["a", "c", "d"]);
        (0..1_000).for_each(|_| set.add("a"));
        assert_eq!(all(&set), ["c", "d", "a"]);
        assert!(set.order.len() < 100, "outdated entries are cleared away");
    }

    #[test]
    fn what_is_too_old_leaves_when_the_set_is_purged() {
        let mut set = LimitedSet::new(10, Duration::ZERO);
        set.add("a");
        assert!(set.contains("a"), "below the bound it stays");
        set.purge();
        assert!(all(&set).is_empty());
    }
}

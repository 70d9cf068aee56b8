//! A map that keeps what was touched last: memory stays bounded at any rate of events.

use std::collections::{BTreeMap, HashMap};

/// Values by name; when full, the one that was not touched for longest leaves.
#[derive(Debug)]
pub(super) struct Recent<V> {
    most: usize,
    touches: u64,
    entries: HashMap<String, (u64, V)>,
    by_touch: BTreeMap<u64, String>,
}

impl<V> Recent<V> {
    /// At most this many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            touches: 0,
            entries: HashMap::new(),
            by_touch: BTreeMap::new(),
        }
    }

    /// The value, made when it is not there; it counts as touched.
    pub(super) fn touch(&mut self, name: &str, make: impl FnOnce() -> V) -> &mut V {
        self.touches += 1;
        let touch = self.touches;
        let last = self.entries.get(name).map(|(last, _)| *last);
        if let Some(last) = last {
            self.by_touch.remove(&last);
        } else if self.entries.len() >= self.most {
            self.forget_oldest();
        }
        self.by_touch.insert(touch, name.to_owned());
        let entry = self
            .entries
            .entry(name.to_owned())
            .or_insert_with(|| (touch, make()));
        entry.0 = touch;
        &mut entry.1
    }

    pub(super) fn get(&self, name: &str) -> Option<&V> {
        self.entries.get(name).map(|(_, value)| value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All of them, the one touched last first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        let names = self.by_touch.values().rev();
        names.filter_map(|name| self.get(name))
    }

    fn forget_oldest(&mut self) {
        if let Some((_, name)) = self.by_touch.pop_first() {
            self.entries.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_touched_last_stays() {
        let mut recent = Recent::new(2);
        for name in ["a", "b", "a", "c"] {
            *recent.touch(name, || 0) += 1;
        }
        assert_eq!(recent.get("a"), Some(&2));
        assert_eq!(recent.get("b"), None);
        assert_eq!(recent.iter().copied().collect::<Vec<_>>(), [1, 2]);
        for number in 0..1_000 {
            recent.touch(&number.to_string(), || number);
        }
        assert_eq!((recent.len(), recent.by_touch.len()), (2, 2));
    }
}

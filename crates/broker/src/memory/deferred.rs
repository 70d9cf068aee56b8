//! Messages that wait for their time. They belong to nobody, so they outlive the consumer that deferred them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::envelope::Item;

/// Waiting messages, soonest first; those of one instant in the order in which they were deferred.
#[derive(Debug, Default)]
pub(super) struct DeferredItems {
    items: BTreeMap<(Timestamp, u64), Item>,
    sequence: u64,
}

impl DeferredItems {
    pub(super) fn insert(&mut self, until: Timestamp, item: Item) {
        self.sequence += 1;
        self.items.insert((until, self.sequence), item);
    }

    /// Takes everything that is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Item> {
        let waiting = self.items.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.items, waiting)
            .into_values()
            .collect()
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.items.keys().next().map(|(due, _)| *due)
    }

    /// Makes these due; how many there were.
    pub(super) fn hasten(&mut self, ids: &BTreeSet<u64>) -> u64 {
        let hastened: Vec<_> = self
            .items
            .extract_if(.., |(_, id), _| ids.contains(id))
            .collect();
        let count = hastened.len() as u64;
        let now_due = hastened
            .into_iter()
            .map(|((_, id), item)| ((Timestamp::MIN, id), item));
        self.items.extend(now_due);
        count
    }

    /// When each is due, its number, and what it is.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Timestamp, u64, &Item)> {
        self.items.iter().map(|((due, id), item)| (*due, *id, item))
    }
}

//! Parked messages: out of their queue, kept with the reason for an operator.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::envelope::Item;

/// One parked message.
#[derive(Debug)]
pub(super) struct ParkedItem {
    pub(super) item: Item,
    pub(super) reason: String,
    pub(super) at: Timestamp,
    pub(super) node: String,
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Parking {
    items: BTreeMap<u64, ParkedItem>,
    sequence: u64,
}

impl Parking {
    pub(super) fn insert(&mut self, parked: ParkedItem) {
        self.sequence += 1;
        self.items.insert(self.sequence, parked);
    }

    /// Takes one out by its id.
    pub(super) fn remove(&mut self, id: &str) -> Option<ParkedItem> {
        self.items.remove(&id.parse().ok()?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &ParkedItem)> {
        self.items.iter().map(|(id, parked)| (*id, parked))
    }
}

//! How far the acknowledger has come. Ends are settled in the order in which they are handed over, so two counts say which of them are.

use std::sync::atomic::{AtomicU64, Ordering};

/// The ends that were handed over, and those that are settled.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    ends: AtomicU64,
    settled: AtomicU64,
}

/// All ends that were handed over until a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl Handover {
    /// An end is about to be handed over.
    pub(crate) fn begin(&self) {
        self.ends.fetch_add(1, Ordering::AcqRel);
    }

    /// The next so many are settled.
    pub(crate) fn settled(&self, ends: usize) {
        self.settled.fetch_add(ends as u64, Ordering::AcqRel);
    }

    /// All ends that have been handed over.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.ends.load(Ordering::Acquire))
    }

    /// Whether all of these are settled.
    pub(crate) fn has_passed(&self, mark: Mark) -> bool {
        self.settled.load(Ordering::Acquire) >= mark.0
    }
}

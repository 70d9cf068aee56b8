//! Ready messages: per queue one line for each of kombu's priority steps.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::envelope::Item;
use crate::QueueDepth;

/// kombu's priority steps; the lower is served first.
pub(super) const STEPS: [u8; 4] = [0, 3, 6, 9];

/// The index in [`STEPS`] that a priority belongs to: clamped to 9, then rounded down.
pub(super) fn step_of(priority: i64) -> usize {
    match priority {
        ..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        9.. => 3,
    }
}

type Lines = [VecDeque<Item>; STEPS.len()];

/// All queues by name.
#[derive(Debug, Default)]
pub(super) struct Queues {
    lines: BTreeMap<Arc<str>, Lines>,
}

impl Queues {
    pub(super) fn push_back(&mut self, item: Item) {
        self.line(&item).push_back(item);
    }

    pub(super) fn push_front(&mut self, item: Item) {
        self.line(&item).push_front(item);
    }

    /// Takes the next message of one step.
    pub(super) fn pop(&mut self, queue: &str, step: usize) -> Option<Item> {
        self.lines.get_mut(queue)?[step].pop_front()
    }

    /// Takes the next message of any step.
    pub(super) fn pop_any(&mut self, queue: &str) -> Option<Item> {
        self.lines
            .get_mut(queue)?
            .iter_mut()
            .find_map(VecDeque::pop_front)
    }

    /// Removes the queue with what is in it; returns how many messages that were.
    pub(super) fn purge(&mut self, queue: &str) -> u64 {
        self.lines
            .remove(queue)
            .iter()
            .flatten()
            .map(|line| line.len() as u64)
            .sum()
    }

    /// The queues that had a message once.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(AsRef::as_ref)
    }

    /// Messages of a queue in the order in which they would be served.
    pub(super) fn iter(&self, queue: &str) -> impl Iterator<Item = &Item> {
        self.lines.get(queue).into_iter().flatten().flatten()
    }

    pub(super) fn depth(&self, queue: &str) -> QueueDepth {
        let lines = self.lines.get(queue).into_iter().flatten();
        let counts = STEPS.into_iter().zip(lines.map(|line| line.len() as u64));
        QueueDepth {
            queue: queue.to_owned(),
            by_priority: counts.filter(|(_, count)| *count > 0).collect(),
        }
    }

    fn line(&mut self, item: &Item) -> &mut VecDeque<Item> {
        &mut self.lines.entry(item.queue.clone()).or_default()[item.step]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_round_down_to_their_step() {
        let steps: Vec<u8> = (-1..=11).map(|priority| STEPS[step_of(priority)]).collect();
        assert_eq!(steps, [0, 0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9]);
    }
}

//! Incarnations with a lease, and the rule by which their queues share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::envelope::Item;
use super::queues::{Queues, STEPS};
use crate::{Notice, QueueOrder};

/// One incarnation.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) node: String,
    pub(super) lease: Duration,
    pub(super) expires: Instant,
    pub(super) renewed: Timestamp,
    pub(super) order: QueueOrder,
    /// In the order in which they are asked next.
    pub(super) queues: VecDeque<Arc<str>>,
    pub(super) notices: mpsc::Sender<Notice>,
}

impl Worker {
    pub(super) fn renew(&mut self, now: Timestamp) {
        self.expires = Instant::now() + self.lease;
        self.renewed = now;
    }

    pub(super) fn set_queues(&mut self, queues: &[String]) {
        self.queues = queues
            .iter()
            .map(|queue| Arc::from(queue.as_str()))
            .collect();
        if self.order == QueueOrder::Sorted {
            self.queues.make_contiguous().sort();
        }
    }

    /// Takes the next message that this worker is to have. As in kombu the step comes before the queue, and a queue
    /// that gave one goes to the end of the line.
    pub(super) fn pick(&mut self, ready: &mut Queues) -> Option<Item> {
        (0..STEPS.len()).find_map(|step| {
            let (index, item) = self.first_of(ready, step)?;
            self.rotate(index);
            Some(item)
        })
    }

    /// Tells of something; a full channel drops the notice.
    pub(super) fn notify(&self, notice: Notice) {
        if self.notices.try_send(notice).is_err() {
            tracing::warn!(node = %self.node, "a notice was dropped: nobody reads the notices fast enough");
        }
    }

    fn first_of(&self, ready: &mut Queues, step: usize) -> Option<(usize, Item)> {
        self.queues
            .iter()
            .enumerate()
            .find_map(|(index, queue)| Some((index, ready.pop(queue, step)?)))
    }

    fn rotate(&mut self, index: usize) {
        if self.order == QueueOrder::RoundRobin
            && let Some(queue) = self.queues.remove(index)
        {
            self.queues.push_back(queue);
        }
    }
}

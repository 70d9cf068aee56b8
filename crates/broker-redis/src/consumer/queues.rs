//! The queues of a consumer and whose turn it is.

use std::sync::Arc;

use broker::QueueOrder;

use crate::envelope::json_text;
use crate::keys::Keys;

/// A queue with what the reserving script needs of it.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: Arc<str>,
    pub(super) json: String,
    /// Its lists, one for each step.
    pub(super) lists: Vec<String>,
}

/// The queues in the order of the next reservation.
#[derive(Debug, Default)]
pub(super) struct Queues {
    queues: Vec<Arc<Queue>>,
    order: QueueOrder,
}

impl Queues {
    pub(super) fn new(mut names: Vec<String>, order: QueueOrder, keys: &Keys) -> Self {
        if order == QueueOrder::Sorted {
            names.sort_unstable();
        }
        let queue = |name: String| Queue {
            json: json_text(&name),
            lists: keys.lists(&name),
            name: name.into(),
        };
        Self {
            queues: names.into_iter().map(queue).map(Arc::new).collect(),
            order,
        }
    }

    /// The queues in the order of the next reservation.
    pub(super) fn plan(&self) -> Vec<Arc<Queue>> {
        self.queues.clone()
    }

    /// Whether queues take turns.
    pub(super) fn is_fair(&self) -> bool {
        self.order == QueueOrder::RoundRobin
    }

    /// The queue that delivered last goes to the end.
    pub(super) fn delivered(&mut self, name: &str) {
        if !self.is_fair() {
            return;
        }
        if let Some(at) = self.queues.iter().position(|queue| &*queue.name == name) {
            let queue = self.queues.remove(at);
            self.queues.push(queue);
        }
    }
}

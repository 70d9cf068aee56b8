//! Which named calls were published.

use std::collections::{HashSet, VecDeque};

use tokio::time::Instant;

use crate::CALL_MEMORY;

/// The names, forgotten in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct CallNames {
    known: HashSet<String>,
    ends: VecDeque<(Instant, String)>,
}

impl CallNames {
    /// Whether this name is new. From now on it is known.
    pub(super) fn is_first(&mut self, name: &str) -> bool {
        let now = Instant::now();
        while let Some((_, old)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            self.known.remove(&old);
        }
        let first = self.known.insert(name.to_owned());
        if first {
            self.ends.push_back((now + CALL_MEMORY, name.to_owned()));
        }
        first
    }
}

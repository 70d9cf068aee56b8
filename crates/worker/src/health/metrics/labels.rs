//! Labels, and what bounds them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use broker::Settled;
use prometheus_client::encoding::EncodeLabelSet;
use protocol::State;

/// Queues that have a label of their own.
const QUEUES: usize = 100;
/// The label of the others.
const OTHER: &str = "other";

type Name = Arc<str>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Received {
    pub(super) task: Name,
    pub(super) queue: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Finished {
    pub(super) task: Name,
    pub(super) queue: Name,
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Task {
    pub(super) task: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Queue {
    pub(super) queue: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Outcome {
    outcome: &'static str,
}

impl Outcome {
    pub(super) fn of(settled: Option<Settled>) -> Self {
        let outcome = match settled {
            Some(Settled::Refused) => "refused",
            Some(Settled::Uncertain) => "uncertain",
            Some(Settled::Done) => "done",
            Some(Settled::Complete) => "chord_complete",
            Some(Settled::Claimed) => "chord_claimed",
            Some(Settled::Impossible) => "impossible",
            None => "failed",
        };
        Self { outcome }
    }
}

/// Celery's states; a task's own ones are no end and share a name.
pub(super) fn state_name(state: &State) -> &'static str {
    match state {
        State::Success => "SUCCESS",
        State::Failure => "FAILURE",
        State::Retry => "RETRY",
        State::Revoked => "REVOKED",
        State::Rejected => "REJECTED",
        State::Ignored => "IGNORED",
        _ => OTHER,
    }
}

/// The queues that have a label of their own.
#[derive(Debug, Default)]
pub(super) struct Queues(Mutex<HashSet<Name>>);

impl Queues {
    pub(super) fn label(&self, queue: &Name) -> Name {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(queue) {
            return Arc::clone(queue);
        }
        if known.len() >= QUEUES {
            return OTHER.into();
        }
        known.insert(Arc::clone(queue));
        Arc::clone(queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_queue_labels_is_bounded() {
        let queues = Queues::default();
        let labels: HashSet<Name> = (0..1_000)
            .map(|number| queues.label(&format!("q{number}").into()))
            .collect();
        assert_eq!(labels.len(), QUEUES + 1);
        assert_eq!(
            &*queues.label(&"q7".into()),
            "q7",
            "the first ones keep theirs"
        );
    }
}

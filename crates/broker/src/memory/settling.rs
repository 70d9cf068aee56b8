//! Settlements: encoded outside the lock, then carried out in one step each.

use protocol::TaskMeta;

use super::envelope::Outgoing;
use super::parking::ParkedItem;
use super::state::{Held, Started, State};
use crate::{Result, Settled, Settlement, Tag, Verdict};

/// A settlement that can no longer fail.
#[derive(Debug)]
pub(super) struct Order {
    tag: Tag,
    verdict: Verdict,
    store: Option<TaskMeta>,
    publish: Vec<Outgoing>,
}

impl Order {
    pub(super) fn prepare(settlement: Settlement) -> Result<Self> {
        let Settlement {
            tag,
            verdict,
            store,
            publish,
        } = settlement;
        Ok(Self {
            tag,
            verdict,
            store,
            publish: Outgoing::encode_all(publish)?,
        })
    }

    /// Carries it out if the tag is still held.
    pub(super) fn carry_out(self, state: &mut State, node: &str) -> Settled {
        let carried_out = match state.held.remove(&self.tag) {
            Some(held) => {
                dispose(state, &self.tag, held, self.verdict, node);
                true
            }
            None => settle_started(state, &self.tag, self.verdict),
        };
        if !carried_out {
            return Settled::Refused;
        }
        if let Some(meta) = self.store {
            state.results.store(meta);
        }
        self.publish
            .iter()
            .for_each(|outgoing| state.deliver(outgoing));
        Settled::Done
    }
}

fn dispose(state: &mut State, tag: &Tag, held: Held, verdict: Verdict, node: &str) {
    match verdict {
        Verdict::Ack => {}
        Verdict::Keep => {
            state.held.insert(tag.clone(), held);
        }
        Verdict::AckEarly { lost } => {
            state.started.insert(
                tag.clone(),
                Started {
                    incarnation: held.incarnation,
                    lost,
                },
            );
        }
        Verdict::Requeue { front: true } => state.queues.push_front(held.item.redelivered()),
        Verdict::Requeue { front: false } => state.queues.push_back(held.item.redelivered()),
        Verdict::Defer { until } => state.deferred.insert(until, held.item),
        Verdict::Park { reason } => {
            let at = state.clock.now();
            state.parking.insert(ParkedItem {
                item: held.item,
                reason,
                at,
                node: node.to_owned(),
            });
        }
    }
}

/// A run that was acknowledged early has no message any more: it can report or end, and nothing else.
fn settle_started(state: &mut State, tag: &Tag, verdict: Verdict) -> bool {
    match verdict {
        Verdict::Ack => state.started.remove(tag).is_some(),
        Verdict::Keep => state.started.contains_key(tag),
        _ => false,
    }
}

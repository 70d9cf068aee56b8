//! Settlements: encoded outside the lock, then carried out in one step each.

use protocol::TaskMeta;

use super::envelope::{Call, Outgoing};
use super::parking::ParkedItem;
use super::state::{Held, Started, State};
use crate::{Counted, Effects, Result, Settled, Settlement, Tag, Verdict};

/// A settlement that can no longer fail.
#[derive(Debug)]
pub(super) struct Order {
    tag: Tag,
    verdict: Verdict,
    store: Option<TaskMeta>,
    publish: Vec<Outgoing>,
    calls: Vec<Call>,
    effects: Effects,
}

impl Order {
    pub(super) fn prepare(settlement: Settlement) -> Result<Self> {
        let Settlement {
            tag,
            verdict,
            store,
            publish,
            calls,
            effects,
        } = settlement;
        Ok(Self {
            tag,
            verdict,
            store,
            publish: Outgoing::encode_all(publish)?,
            calls: calls.into_iter().map(Call::encode).collect::<Result<_>>()?,
            effects: effects.map_or_else(Effects::default, |effects| *effects),
        })
    }

    /// Carries it out if the tag is still held and the chords are its to end.
    pub(super) fn carry_out(mut self, state: &mut State, node: &str) -> Settled {
        if !is_held(state, &self.tag, &self.verdict) {
            return Settled::Refused;
        }
        if let Some(ended) = self.begin(state) {
            return ended;
        }
        let Effects {
            grow,
            metas,
            open,
            finish,
            keep_parts: _,
            count: _,
        } = self.effects;
        for (group_id, members) in grow {
            state.chords.grow(&group_id, members);
        }
        metas.into_iter().for_each(|meta| {
            state.results.store(meta);
        });
        open.into_iter().for_each(|chord| state.open_chord(chord));
        self.publish
            .iter()
            .for_each(|outgoing| state.deliver(outgoing));
        self.calls.iter().for_each(|call| state.call(call));
        match state.held.remove(&self.tag) {
            Some(held) => dispose(state, &self.tag, held, self.verdict, node),
            None => settle_started(state, &self.tag, &self.verdict),
        }
        for group_id in finish {
            state.chords.finish(&group_id, self.tag.as_str());
        }
        Settled::Done
    }

    /// The claims, the task's own meta and its count; what this ends the settlement with, if it does.
    fn begin(&mut self, state: &mut State) -> Option<Settled> {
        let token = self.tag.as_str();
        let mut finish = self.effects.finish.iter();
        if !finish.all(|group_id| state.chords.hold(group_id, token)) {
            return Some(Settled::Claimed);
        }
        if let Some(meta) = self.store.take() {
            state.results.store(meta);
        }
        let part = self.effects.count.take()?;
        let added = self.effects.growth_of(&part.group_id);
        match state.chords.count(part, added, token) {
            Counted::Complete => Some(Settled::Complete),
            Counted::Claimed => Some(Settled::Claimed),
            Counted::Open | Counted::Over => None,
        }
    }
}

/// A run that was acknowledged early has no message any more: it can report or end, and nothing else.
fn is_held(state: &State, tag: &Tag, verdict: &Verdict) -> bool {
    let may_be_started = matches!(verdict, Verdict::Ack | Verdict::Keep);
    state.held.contains_key(tag) || may_be_started && state.started.contains_key(tag)
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
        Verdict::Return => state.queues.push_front(held.item),
        Verdict::Requeue { front: true } => state.queues.push_front(held.item.redelivered()),
        Verdict::Requeue { front: false } => state.queues.push_back(held.item.redelivered()),
        Verdict::Died => state.queues.push_front(held.item.died()),
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

fn settle_started(state: &mut State, tag: &Tag, verdict: &Verdict) {
    if matches!(verdict, Verdict::Ack) {
        state.started.remove(tag);
    }
}

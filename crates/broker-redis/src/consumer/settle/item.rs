//! Settlements in the scripts' terms.

use std::sync::Arc;

use redis::Cmd;

use crate::outgoing::Outgoing;
use crate::results::{EffectsItem, StoreItem};

/// A settlement in the script's terms.
#[derive(Debug)]
pub(in crate::consumer) struct Item {
    pub(in crate::consumer) tag: Arc<str>,
    pub(in crate::consumer) verb: Verb,
    pub(in crate::consumer) store: Option<StoreItem>,
    pub(in crate::consumer) publish: Vec<Outgoing>,
    pub(in crate::consumer) effects: Option<Box<EffectsItem>>,
}

/// What becomes of the message, in the script's terms.
#[derive(Debug)]
pub(in crate::consumer) enum Verb {
    Ack,
    Keep,
    Early {
        lost: Vec<u8>,
    },
    Defer {
        due_ms: i64,
        /// By this worker's clock.
        left_ms: i64,
    },
    Move {
        push: &'static str,
        list: String,
        envelope: Vec<u8>,
    },
    Park {
        id: String,
        record: Vec<u8>,
        at_ms: i64,
    },
}

impl Item {
    pub(in crate::consumer) fn ack(tag: &str, store: Option<StoreItem>) -> Self {
        Self {
            tag: tag.into(),
            verb: Verb::Ack,
            store,
            publish: Vec::new(),
            effects: None,
        }
    }

    /// About how many bytes it sends.
    pub(super) fn size(&self) -> usize {
        let rewritten = match &self.verb {
            Verb::Ack | Verb::Keep | Verb::Defer { .. } => 0,
            Verb::Early { lost } => lost.len(),
            Verb::Move { envelope, .. } => envelope.len(),
            Verb::Park { record, .. } => record.len(),
        };
        let stored = self.store.as_ref().map_or(0, StoreItem::size);
        let published = self.publish.iter().map(|message| message.payload.len());
        let effects = self.effects.as_ref().map_or(0, |effects| effects.size());
        rewritten + stored + published.sum::<usize>() + effects
    }

    /// Adds what settle.lua takes.
    pub(super) fn add_to(&self, command: &mut Cmd) {
        match &self.verb {
            Verb::Ack => command.arg("ack"),
            Verb::Keep => command.arg("keep"),
            Verb::Early { lost } => command.arg("early").arg(lost),
            Verb::Defer { due_ms, left_ms } => command.arg("defer").arg(due_ms).arg(left_ms),
            Verb::Move {
                push,
                list,
                envelope,
            } => command.arg("move").arg(push).arg(list).arg(envelope),
            Verb::Park { id, record, at_ms } => command.arg("park").arg(id).arg(record).arg(at_ms),
        };
        match &self.store {
            None => command.arg("0"),
            Some(item) => item.add_to(command.arg("1")),
        };
        command.arg(self.publish.len());
        for message in &self.publish {
            command
                .arg(message.verb)
                .arg(&message.key)
                .arg(&*message.payload);
        }
        match &self.effects {
            None => {
                command.arg("0");
            }
            Some(effects) => effects.add_to(command.arg("1")),
        }
    }

    /// Adds the key and the meta that finish.lua takes.
    pub(super) fn add_entry_to(&self, command: &mut Cmd) {
        match &self.store {
            None => command.arg("").arg(""),
            Some(item) => item.add_entry_to(command),
        };
    }

    /// Whether it only acknowledges, and perhaps stores a meta.
    fn is_finishing(&self) -> bool {
        matches!(self.verb, Verb::Ack) && self.publish.is_empty() && self.effects.is_none()
    }
}

/// How long the metas of these items are kept, in seconds, if finish.lua can carry them out.
pub(super) fn finishing_ttl<'i>(mut items: impl Iterator<Item = &'i Item>) -> Option<u64> {
    let ttl = items.try_fold(None, |ttl, item| {
        let own = match &item.store {
            None => ttl,
            Some(item) => Some(item.fresh_ttl()?),
        };
        (item.is_finishing() && ttl.is_none_or(|ttl| own == Some(ttl))).then_some(own)
    });
    ttl.map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_acknowledgements_are_finished_together() {
        let plain = || Item::ack("a.1:0:1", None);
        let early = Item {
            verb: Verb::Early { lost: Vec::new() },
            ..plain()
        };
        assert_eq!(finishing_ttl([&plain(), &plain()].into_iter()), Some(0));
        assert_eq!(finishing_ttl([&plain(), &early].into_iter()), None);
    }
}

//! The messages that this consumer holds of tasks in groups: who adds members to a chord, and whether it may have done so before.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Delivery, Settled, Settlement, Tag, Verdict};

/// A message of a task in a group.
#[derive(Debug)]
struct Member {
    group_id: String,
    /// Names the message, however often it is delivered.
    message: String,
    redelivered: bool,
}

/// How many members a chord gets because of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) group_id: String,
    pub(super) members: u32,
    pub(super) by: String,
}

/// What is held, by tag.
#[derive(Debug, Default)]
pub(super) struct Members(Mutex<HashMap<Tag, Member>>);

impl Members {
    pub(super) fn note(&self, taken: &[Delivery]) {
        let members = taken.iter().filter_map(member);
        self.held().extend(members);
    }

    /// By how much chords grow with a settlement. A message that somebody held before may have made its chord grow without adding a member
    /// to it: if it ends now and adds none, that is taken back.
    pub(super) fn growth(&self, settlement: &Settlement) -> Vec<Growth> {
        let mut chords = BTreeMap::<&str, u32>::new();
        for (group_id, members) in settlement.effects.iter().flat_map(|effects| &effects.grow) {
            *chords.entry(group_id).or_default() += members;
        }
        let held = self.held();
        let member = held.get(&settlement.tag);
        let ends = matches!(settlement.verdict, Verdict::Ack | Verdict::Park { .. });
        if let Some(member) = member.filter(|member| member.redelivered && ends) {
            chords.entry(&member.group_id).or_default();
        }
        let by = member.map_or(settlement.tag.as_str(), |member| &member.message);
        let growth = chords.into_iter().map(|(group_id, members)| Growth {
            group_id: group_id.to_owned(),
            members,
            by: by.to_owned(),
        });
        growth.collect()
    }

    /// Forgets a message that is no longer held.
    pub(super) fn forget(&self, tag: &Tag, keeps: bool, settled: Settled) {
        let held = match settled {
            Settled::Done => keeps,
            Settled::Refused | Settled::Uncertain => false,
            Settled::Complete | Settled::Claimed | Settled::Impossible => true,
        };
        if !held {
            self.held().remove(tag);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Tag, Member>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn member(delivery: &Delivery) -> Option<(Tag, Member)> {
    let message = delivery.message.as_ref().ok()?;
    let member = Member {
        group_id: message.headers.group.clone()?,
        message: message.properties.delivery_tag.clone()?,
        redelivered: delivery.redelivered,
    };
    Some((delivery.tag.clone(), member))
}

/// Whether a message is held after this verdict.
pub(super) fn keeps(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Keep | Verdict::AckEarly { .. })
}

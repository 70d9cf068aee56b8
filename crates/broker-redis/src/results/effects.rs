//! A settlement's effects, and chords, as the scripts take them.

use std::time::Duration;

use broker::{ChordPart, Effects, NewChord, Result, ResultPolicy};
use protocol::{ChordMember, ResultTuple, encode_group};
use redis::Cmd;

use super::{ResultWriter, StoreItem};

/// How long what is kept of chords, in the scripts' terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChordTerms {
    lifetime_s: u64,
    header_s: u64,
    claim_ms: u64,
    memory_s: u64,
    ordered: bool,
}

impl ChordTerms {
    fn of(policy: &ResultPolicy) -> Self {
        Self {
            lifetime_s: policy.chord_lifetime().as_secs(),
            header_s: policy.header_lifetime().as_secs(),
            claim_ms: millis(policy.chord_claim),
            memory_s: policy.chord_memory().as_secs(),
            ordered: policy.chord_ordered,
        }
    }

    pub(crate) fn add_to<'a>(&self, command: &'a mut Cmd) -> &'a mut Cmd {
        command
            .arg(self.lifetime_s)
            .arg(self.header_s)
            .arg(self.claim_ms)
            .arg(self.memory_s)
            .arg(u8::from(self.ordered))
    }
}

/// At least one: a claim must end, and not at once.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// A chord to open.
#[derive(Debug)]
pub(crate) struct OpenItem {
    chord: String,
    size: u64,
    /// Empty for none.
    header: Vec<u8>,
}

impl OpenItem {
    pub(crate) fn add_to<'a>(&self, command: &'a mut Cmd) -> &'a mut Cmd {
        command.arg(&self.chord).arg(self.size).arg(&self.header)
    }
}

/// A member to count.
#[derive(Debug)]
pub(crate) struct PartItem {
    chord: String,
    /// What it is known by: the task's id and the score.
    name: String,
    score: String,
    member: Vec<u8>,
}

impl PartItem {
    pub(crate) fn add_to<'a>(&self, command: &'a mut Cmd) -> &'a mut Cmd {
        command
            .arg(&self.chord)
            .arg(&self.name)
            .arg(&self.score)
            .arg(&self.member)
    }
}

/// What else a settlement writes.
#[derive(Debug)]
pub(crate) struct EffectsItem {
    terms: ChordTerms,
    pub(crate) metas: Vec<StoreItem>,
    finish: Vec<String>,
    keep_parts: bool,
    count: Option<PartItem>,
    open: Vec<OpenItem>,
    grow: Vec<(String, u32)>,
}

impl EffectsItem {
    /// About how many bytes it sends.
    pub(crate) fn size(&self) -> usize {
        let metas = self.metas.iter().map(StoreItem::size);
        let headers = self.open.iter().map(|chord| chord.header.len());
        let part = self.count.as_ref().map_or(0, |part| part.member.len());
        metas.chain(headers).sum::<usize>() + part
    }

    pub(crate) fn add_to(&self, command: &mut Cmd) {
        self.terms.add_to(command).arg(self.metas.len());
        for meta in &self.metas {
            meta.add_to(command);
        }
        command.arg(self.finish.len());
        for chord in &self.finish {
            command.arg(chord).arg(u8::from(self.keep_parts));
        }
        command.arg(u8::from(self.count.is_some()));
        if let Some(part) = &self.count {
            part.add_to(command);
        }
        command.arg(self.open.len());
        for chord in &self.open {
            chord.add_to(command);
        }
        command.arg(self.grow.len());
        for (chord, members) in &self.grow {
            command.arg(chord).arg(members);
        }
    }
}

impl ResultWriter {
    pub(crate) fn terms(&self) -> ChordTerms {
        ChordTerms::of(self.policy())
    }

    pub(crate) fn open_item(&self, chord: NewChord) -> Result<OpenItem> {
        let policy = self.policy();
        let encode = |header| {
            encode_group(
                &ResultTuple::from_value(header)?,
                policy.codec,
                policy.packing(),
            )
            .map_err(broker::BrokerError::from)
        };
        let header = chord.header.map(encode).transpose()?;
        Ok(OpenItem {
            chord: self.group_key(&chord.group_id),
            size: chord.size,
            header: header.unwrap_or_default(),
        })
    }

    pub(crate) fn part_item(&self, part: ChordPart) -> Result<PartItem> {
        let policy = self.policy();
        let score = part
            .group_index
            .map_or_else(|| "+inf".to_owned(), |index| index.to_string());
        let member = ChordMember {
            task_id: part.task_id,
            state: part.state,
            result: part.result,
        };
        Ok(PartItem {
            chord: self.group_key(&part.group_id),
            name: format!("{}:{score}", member.task_id),
            score,
            member: member.encode(policy.codec, policy.packing())?,
        })
    }

    pub(crate) fn effects_item(&self, effects: Effects) -> Result<EffectsItem> {
        let metas = effects.metas.iter().map(|meta| self.encode(meta));
        let open = effects.open.into_iter().map(|chord| self.open_item(chord));
        let finish = effects.finish.iter().map(|group| self.group_key(group));
        let grow = effects.grow.into_iter();
        Ok(EffectsItem {
            terms: self.terms(),
            metas: metas.collect::<Result<_>>()?,
            finish: finish.collect(),
            keep_parts: effects.keep_parts,
            count: effects.count.map(|part| self.part_item(part)).transpose()?,
            open: open.collect::<Result<_>>()?,
            grow: grow
                .map(|(group, members)| (self.group_key(&group), members))
                .collect(),
        })
    }
}

//! Chords in memory, and the chord seam on them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::MemoryBroker;
use crate::{ChordPart, ChordParts, ChordStore, Counted, NewChord, Result, ResultPolicy};

/// Where a part stands: by index, those without one last, then by task.
type Place = (bool, i64, String);

#[derive(Debug, PartialEq, Eq)]
enum Holder {
    Token(String),
    /// The body was called.
    Done,
}

#[derive(Debug)]
struct Claim {
    holder: Holder,
    until: Instant,
}

/// One chord. Members may end before it is opened.
#[derive(Debug, Default)]
struct Chord {
    size: Option<u64>,
    growth: u64,
    /// How many members each message adds.
    added: HashMap<String, u32>,
    parts: BTreeMap<Place, ChordPart>,
    claim: Option<Claim>,
    /// The name of the call that ends it.
    call: Option<String>,
    expires: Option<Instant>,
}

impl Chord {
    fn is_alive(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires) || self.claim().is_some()
    }

    /// Whose claim is alive.
    fn claim(&self) -> Option<&Holder> {
        let claim = self.claim.as_ref()?;
        (Instant::now() < claim.until).then_some(&claim.holder)
    }

    /// Whether all members have ended, if it gets so many more.
    fn is_complete(&self, added: u64) -> bool {
        let growth = self.growth + self.added.values().copied().map(u64::from).sum::<u64>();
        self.size
            .is_some_and(|size| self.parts.len() as u64 >= size + growth + added)
    }

    /// Takes or renews the claim; `false` when it is another's.
    fn hold(&mut self, token: &str, lasts: Duration) -> bool {
        let free = match self.claim() {
            None => self.size.is_some(),
            Some(holder) => *holder == Holder::Token(token.to_owned()),
        };
        if free {
            self.claim = Some(Claim {
                holder: Holder::Token(token.to_owned()),
                until: Instant::now() + lasts,
            });
        }
        free
    }

    fn finish(&mut self, memory: Duration) {
        *self = Self {
            claim: Some(Claim {
                holder: Holder::Done,
                until: Instant::now() + memory,
            }),
            expires: Some(Instant::now()),
            ..Self::default()
        };
    }
}

/// All chords.
#[derive(Debug)]
pub(super) struct ChordTable {
    policy: ResultPolicy,
    chords: HashMap<String, Chord>,
}

impl ChordTable {
    pub(super) fn new(policy: ResultPolicy) -> Self {
        Self {
            policy,
            chords: HashMap::new(),
        }
    }

    pub(super) fn open(&mut self, group_id: &str, size: u64) {
        let chord = self.chord(group_id);
        chord.claim = None;
        chord.call = None;
        chord.size = Some(size);
    }

    pub(super) fn grow(&mut self, group_id: &str, members: u32) {
        self.chord(group_id).growth += u64::from(members);
    }

    fn add(&mut self, group_id: &str, members: u32, by: &str) {
        let known = self.chords.get(group_id).filter(|chord| chord.is_alive());
        let before = known.and_then(|chord| chord.added.get(by)).copied();
        if before.unwrap_or_default() != members {
            self.chord(group_id).added.insert(by.to_owned(), members);
        }
    }

    /// Counts a member of a chord that gets `added` more in the same step.
    pub(super) fn count(&mut self, part: ChordPart, added: u64, token: &str) -> Counted {
        let lasts = self.policy.chord_claim;
        let chord = self.chord(&part.group_id);
        if chord.claim() == Some(&Holder::Done) {
            return Counted::Over;
        }
        let index = part.group_index;
        let place = (
            index.is_none(),
            index.unwrap_or_default(),
            part.task_id.clone(),
        );
        chord.parts.entry(place).or_insert(part);
        match chord.is_complete(added) {
            false => Counted::Open,
            true if chord.hold(token, lasts) => Counted::Complete,
            true => Counted::Claimed,
        }
    }

    pub(super) fn hold(&mut self, group_id: &str, token: &str) -> bool {
        let lasts = self.policy.chord_claim;
        self.chords
            .get_mut(group_id)
            .is_some_and(|chord| chord.is_alive() && chord.hold(token, lasts))
    }

    /// Holds a claim; the output is the name of the call that ends the chord.
    fn name(&mut self, group_id: &str, token: &str) -> Option<String> {
        let held = self.hold(group_id, token);
        let chord = self.chords.get_mut(group_id).filter(|_| held)?;
        Some(chord.call.get_or_insert_with(|| token.to_owned()).clone())
    }

    pub(super) fn finish(&mut self, group_id: &str, token: &str) -> bool {
        let memory = self.policy.chord_memory();
        let held = self.hold(group_id, token);
        if held {
            self.chord(group_id).finish(memory);
        }
        held
    }

    /// Drops what has expired.
    pub(super) fn cleanup(&mut self) {
        self.chords.retain(|_, chord| chord.is_alive());
    }

    fn parts(&self, group_id: &str) -> Vec<ChordPart> {
        let chord = self.chords.get(group_id).filter(|chord| chord.is_alive());
        chord.map_or_else(Vec::new, |chord| chord.parts.values().cloned().collect())
    }

    /// The chord, kept from now on for as long as one waits for its next member.
    fn chord(&mut self, group_id: &str) -> &mut Chord {
        let lifetime = self.policy.chord_lifetime();
        let chord = self.chords.entry(group_id.to_owned()).or_default();
        if !chord.is_alive() {
            *chord = Chord::default();
        }
        chord.expires = (!lifetime.is_zero()).then(|| Instant::now() + lifetime);
        chord
    }
}

#[async_trait]
impl ChordStore for MemoryBroker {
    async fn open_chords(&self, chords: Vec<NewChord>) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| chords.into_iter().for_each(|chord| state.open_chord(chord)));
        Ok(())
    }

    async fn grow_chord(&self, group_id: &str, members: u32, by: &str) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| state.chords.add(group_id, members, by));
        Ok(())
    }

    async fn count_part(&self, part: ChordPart, token: &str) -> Result<Counted> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| state.chords.count(part, 0, token)))
    }

    async fn chord_parts(&self, group_id: &str) -> Result<ChordParts> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| ChordParts {
            parts: state.chords.parts(group_id),
            header: state.results.restore_group(group_id),
        }))
    }

    async fn hold_chord(&self, group_id: &str, token: &str) -> Result<Option<String>> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| state.chords.name(group_id, token)))
    }

    async fn finish_chord(&self, group_id: &str, token: &str) -> Result<bool> {
        self.shared.check_open()?;
        Ok(self
            .shared
            .look(|state| state.chords.finish(group_id, token)))
    }
}

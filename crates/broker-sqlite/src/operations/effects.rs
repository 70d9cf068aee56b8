//! What a settlement writes besides its own meta and messages.

use broker::{Counted, Settled};

use super::Tx;
use super::chords::{self, ChordTerms, EncodedChord, EncodedPart};
use super::results::EncodedMeta;
use crate::error::Result;

/// Effects with everything encoded.
#[derive(Clone, Debug)]
pub(crate) struct EncodedEffects {
    /// Whose claims: the settlement's tag.
    pub(crate) token: String,
    pub(crate) terms: ChordTerms,
    pub(crate) metas: Vec<EncodedMeta>,
    pub(crate) finish: Vec<String>,
    pub(crate) count: Option<EncodedPart>,
    pub(crate) open: Vec<EncodedChord>,
    pub(crate) grow: Vec<(String, u32)>,
    /// How many members more the chord gets that `count` is for.
    pub(crate) added: i64,
}

impl EncodedEffects {
    /// Takes or renews the claims of the chords that end; `false` when one is somebody else's.
    pub(crate) fn hold_claims(&self, tx: &mut Tx<'_>) -> Result<bool> {
        for group_id in &self.finish {
            if !chords::hold(tx, group_id, &self.token, self.terms)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts the task in a chord as large as it will be; what this ends the settlement with, if it does.
    pub(crate) fn count(&self, tx: &mut Tx<'_>) -> Result<Option<Settled>> {
        let Some(part) = &self.count else {
            return Ok(None);
        };
        Ok(
            match chords::count(tx, part, self.added, &self.token, self.terms)? {
                Counted::Complete => Some(Settled::Complete),
                Counted::Claimed => Some(Settled::Claimed),
                Counted::Open | Counted::Over => None,
            },
        )
    }

    /// Changes chords; the metas are the settlement's to store.
    pub(crate) fn change_chords(&self, tx: &mut Tx<'_>) -> Result<()> {
        for (group_id, members) in &self.grow {
            chords::grow(tx, group_id, i64::from(*members), self.terms)?;
        }
        for chord in &self.open {
            chords::open(tx, chord, self.terms)?;
        }
        for group_id in &self.finish {
            chords::finish(tx, group_id, &self.token, self.terms)?;
        }
        Ok(())
    }
}

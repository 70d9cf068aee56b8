//! The chord seam on a SQLite file.

use async_trait::async_trait;
use broker::{ChordPart, ChordParts, ChordStore, Counted, NewChord, Result, ResultBackend};

use crate::SqliteResults;
use crate::error::SqliteError;
use crate::operations::chords::{ChordTerms, Claim, Count, Finish, Grow, Hold, Open};
use crate::reads;
use crate::wire::effects::{chord_terms, decode_part, encode_chord, encode_part};

impl SqliteResults {
    fn terms(&self) -> ChordTerms {
        chord_terms(&self.policy)
    }

    fn claim(&self, group_id: &str, token: &str) -> Claim {
        Claim {
            group_id: group_id.to_owned(),
            token: token.to_owned(),
            terms: self.terms(),
        }
    }

    async fn parts(&self, group_id: &str) -> Result<Vec<ChordPart>, SqliteError> {
        let (group, policy) = (group_id.to_owned(), self.policy.clone());
        let decode = move |place, member: &[u8]| decode_part(&group, place, member, &policy);
        reads::chord_parts(&self.store.readers, group_id, decode).await
    }
}

#[async_trait]
impl ChordStore for SqliteResults {
    async fn open_chords(&self, chords: Vec<NewChord>) -> Result<()> {
        let encode = |chord| encode_chord(chord, &self.policy);
        let chords = chords.into_iter().map(encode).collect::<Result<_, _>>()?;
        let terms = self.terms();
        Ok(self.store.write(Open { chords, terms }).await?)
    }

    async fn grow_chord(&self, group_id: &str, members: u32, by: &str) -> Result<()> {
        let grow = Grow {
            group_id: group_id.to_owned(),
            members,
            by: by.to_owned(),
            terms: self.terms(),
        };
        Ok(self.store.write(grow).await?)
    }

    async fn count_part(&self, part: ChordPart, token: &str) -> Result<Counted> {
        let count = Count {
            part: encode_part(part, &self.policy)?,
            token: token.to_owned(),
            terms: self.terms(),
        };
        Ok(self.store.write(count).await?)
    }

    async fn chord_parts(&self, group_id: &str) -> Result<ChordParts> {
        Ok(ChordParts {
            parts: self.parts(group_id).await?,
            header: self.restore_group(group_id).await?,
        })
    }

    async fn hold_chord(&self, group_id: &str, token: &str) -> Result<Option<String>> {
        Ok(self.store.write(Hold(self.claim(group_id, token))).await?)
    }

    async fn finish_chord(&self, group_id: &str, token: &str) -> Result<bool> {
        let finish = Finish(self.claim(group_id, token));
        Ok(self.store.write(finish).await?)
    }
}

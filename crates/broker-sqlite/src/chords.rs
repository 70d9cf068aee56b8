//! Chords in a SQLite file.

use async_trait::async_trait;
use broker::{
    BrokerError, ChordPart, ChordParts, ChordStore, Counted, ErrorKind, NewChord, Result,
};

use crate::SqliteResults;

fn unsupported() -> BrokerError {
    BrokerError::new(ErrorKind::Other, "chords on SQLite are not supported yet")
}

#[async_trait]
impl ChordStore for SqliteResults {
    fn joins_chords(&self) -> bool {
        false
    }

    async fn open_chords(&self, _chords: Vec<NewChord>) -> Result<()> {
        Err(unsupported())
    }

    async fn grow_chord(&self, _group_id: &str, _members: u32) -> Result<()> {
        Err(unsupported())
    }

    async fn count_part(&self, _part: ChordPart, _token: &str) -> Result<Counted> {
        Err(unsupported())
    }

    async fn chord_parts(&self, _group_id: &str) -> Result<ChordParts> {
        Err(unsupported())
    }

    async fn hold_chord(&self, _group_id: &str, _token: &str) -> Result<bool> {
        Err(unsupported())
    }

    async fn finish_chord(&self, _group_id: &str, _token: &str) -> Result<bool> {
        Err(unsupported())
    }
}

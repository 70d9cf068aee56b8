//! Texts that are remembered for a time.

use broker::MOST_REMEMBERED;

use super::{Operation, Tx};
use crate::clock::wall_ms;
use crate::error::Result;
use crate::sql;

/// Replacing gives a new id, so what is remembered again is the newest of its time.
const REMEMBER: &str = "\
INSERT OR REPLACE INTO remembered (space, text, until) VALUES (?1, ?2, ?3)";
const FORGET: &str = "DELETE FROM remembered WHERE space = ?1 AND until <= ?2";
const FORGET_SURPLUS: &str = "\
DELETE FROM remembered WHERE id IN (
    SELECT id FROM remembered WHERE space = ?1 ORDER BY until DESC, id DESC LIMIT -1 OFFSET ?2)";

/// Remembers texts.
#[derive(Debug)]
pub(crate) struct Remember {
    pub(crate) space: String,
    pub(crate) texts: Vec<String>,
    pub(crate) keep_ms: i64,
}

impl Operation for Remember {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let now = wall_ms();
        sql::execute(tx.conn, FORGET, (&self.space, now))?;
        let until = now.saturating_add(self.keep_ms);
        let texts = self.texts.iter().map(|text| (&self.space, text, until));
        sql::execute_each(tx.conn, REMEMBER, texts)?;
        let most = i64::try_from(MOST_REMEMBERED).unwrap_or(i64::MAX);
        sql::execute(tx.conn, FORGET_SURPLUS, (&self.space, most))?;
        Ok(())
    }
}

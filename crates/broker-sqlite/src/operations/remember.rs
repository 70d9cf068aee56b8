//! Texts that are remembered for a time.

use async_trait::async_trait;
use broker::MOST_REMEMBERED;

use super::{Operation, Tx};
use crate::clock::wall_ms;
use crate::error::Result;
use crate::pack::json;

/// Replacing gives a new id, so what is remembered again is the newest of its time.
const REMEMBER: &str = "\
INSERT OR REPLACE INTO remembered (space, text, until) SELECT ?1, value, ?2 FROM json_each(?3) ORDER BY key";
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

#[async_trait]
impl Operation for Remember {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let now = wall_ms();
        let forget = sqlx::query(FORGET).bind(&self.space).bind(now);
        forget.execute(&mut *tx.conn).await?;
        let remember = sqlx::query(REMEMBER).bind(&self.space);
        let remember = remember.bind(now.saturating_add(self.keep_ms));
        remember
            .bind(json(&self.texts)?)
            .execute(&mut *tx.conn)
            .await?;
        let surplus = sqlx::query(FORGET_SURPLUS).bind(&self.space);
        let surplus = surplus.bind(i64::try_from(MOST_REMEMBERED).unwrap_or(i64::MAX));
        surplus.execute(&mut *tx.conn).await?;
        Ok(())
    }
}

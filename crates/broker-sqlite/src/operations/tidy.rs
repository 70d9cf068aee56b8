//! What time has overtaken: old entries of the feed, listeners that have gone, mailboxes that nobody reads, expired results.

use async_trait::async_trait;

use super::mailbox::delete_queue;
use super::results::Expire;
use super::{Operation, Tx};
use crate::clock::steady_ms;
use crate::error::Result;

/// How long an entry stays in the feed. Whoever listens reads it within a second.
const FEED_MS: i64 = 60_000;

/// The feed is in the order of time, so this looks at what is old and at one entry more.
const TRIM_FEED: &str = "\
DELETE FROM feed WHERE id < coalesce(
    (SELECT id FROM feed WHERE at >= ?1 ORDER BY id LIMIT 1), (SELECT max(id) + 1 FROM feed))";

/// Deletes all of it.
#[derive(Debug)]
pub(crate) struct Tidy;

#[async_trait]
impl Operation for Tidy {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let now = steady_ms();
        sqlx::query(TRIM_FEED)
            .bind(now - FEED_MS)
            .execute(&mut *tx.conn)
            .await?;
        sqlx::query("DELETE FROM listeners WHERE until < ?")
            .bind(now)
            .execute(&mut *tx.conn)
            .await?;
        let unread =
            sqlx::query_scalar("SELECT DISTINCT queue FROM bindings WHERE until < ?").bind(now);
        let unread: Vec<String> = unread.fetch_all(&mut *tx.conn).await?;
        for queue in unread {
            delete_queue(tx, &queue).await?;
        }
        Expire.apply(tx).await?;
        Ok(())
    }
}

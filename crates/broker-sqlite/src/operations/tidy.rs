//! What time has overtaken: old entries of the feed, listeners that have gone, mailboxes that nobody reads, expired results,
//! chords, remembered texts and the names of calls.

use async_trait::async_trait;

use super::mailbox::delete_queue;
use super::results::Expire;
use super::{Operation, Tx};
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;

/// How long an entry stays in the feed. Whoever listens reads it within a second.
const FEED_MS: i64 = 60_000;

/// The feed is in the order of time, so this looks at what is old and at one entry more.
const TRIM_FEED: &str = "\
DELETE FROM feed WHERE id < coalesce(
    (SELECT id FROM feed WHERE at >= ?1 ORDER BY id LIMIT 1), (SELECT max(id) + 1 FROM feed))";

/// What is known until a time of the wall clock.
const FORGET: [&str; 2] = [
    "DELETE FROM remembered WHERE until <= ?",
    "DELETE FROM calls WHERE until <= ?",
];

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
        for forget in FORGET {
            let forget = sqlx::query(forget).bind(wall_ms());
            forget.execute(&mut *tx.conn).await?;
        }
        Expire.apply(tx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::SqliteOptions;
    use crate::store::Store;

    async fn count(store: &Store, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&store.readers)
            .await
            .unwrap()
    }

    /// Puts in what is old and what is not.
    #[derive(Debug)]
    struct Fill;

    #[async_trait]
    impl Operation for Fill {
        type Output = ();

        async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
            let now = steady_ms();
            for (number, age) in [(1, 2 * FEED_MS), (2, FEED_MS + 1_000), (3, 0)] {
                let sql =
                    "INSERT INTO feed (id, exchange, key, at, body) VALUES (?, 'e', '', ?, x'')";
                sqlx::query(sql)
                    .bind(number)
                    .bind(now - age)
                    .execute(&mut *tx.conn)
                    .await?;
                let sql =
                    "INSERT INTO listeners (exchange, key, listener, until) VALUES ('e', '', ?, ?)";
                sqlx::query(sql)
                    .bind(number.to_string())
                    .bind(now + 30_000 - age)
                    .execute(&mut *tx.conn)
                    .await?;
                let sql = "INSERT INTO bindings (exchange, routing_key, queue, until) VALUES ('', ?1, ?1, ?2)";
                sqlx::query(sql)
                    .bind(number.to_string())
                    .bind(now + 30_000 - age)
                    .execute(&mut *tx.conn)
                    .await?;
                let sql = "INSERT INTO messages (id, queue, step) VALUES (?1, CAST(?1 AS TEXT), 0)";
                sqlx::query(sql).bind(number).execute(&mut *tx.conn).await?;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn only_what_is_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(SqliteOptions::new(folder.path().join("broker.db")))
            .await
            .unwrap();
        store.write(Fill).await.unwrap();
        store.write(Tidy).await.unwrap();
        assert_eq!(count(&store, "SELECT sum(id) FROM feed").await, 3);
        assert_eq!(
            count(
                &store,
                "SELECT sum(CAST(listener AS INTEGER)) FROM listeners"
            )
            .await,
            3
        );
        assert_eq!(
            count(&store, "SELECT sum(CAST(queue AS INTEGER)) FROM bindings").await,
            3
        );
        assert_eq!(count(&store, "SELECT sum(id) FROM messages").await, 3);
    }
}

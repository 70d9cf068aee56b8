//! What time has overtaken: old entries of the feed, listeners that have gone, mailboxes that nobody reads, expired results,
//! chords, remembered texts and the names of calls.

use super::mailbox::delete_queue;
use super::results::Expire;
use super::{Operation, Tx};
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::sql;

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

impl Operation for Tidy {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let now = steady_ms();
        sql::execute(tx.conn, TRIM_FEED, [now - FEED_MS])?;
        sql::execute(tx.conn, "DELETE FROM listeners WHERE until < ?", [now])?;
        let unread = "SELECT DISTINCT queue FROM bindings WHERE until < ?";
        for (queue,) in sql::all::<(String,)>(tx.conn, unread, [now])? {
            delete_queue(tx, &queue)?;
        }
        for forget in FORGET {
            sql::execute(tx.conn, forget, [wall_ms()])?;
        }
        Expire.apply(tx)?;
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
        let (count,) = store
            .readers
            .read(move |conn| sql::one(conn, sql, []))
            .await
            .unwrap();
        count
    }

    /// Puts in what is old and what is not.
    #[derive(Debug)]
    struct Fill;

    impl Operation for Fill {
        type Output = ();

        fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
            let now = steady_ms();
            for (number, age) in [(1, 2 * FEED_MS), (2, FEED_MS + 1_000), (3, 0)] {
                let (name, until) = (number.to_string(), now + 30_000 - age);
                let add =
                    "INSERT INTO feed (id, exchange, key, at, body) VALUES (?, 'e', '', ?, x'')";
                sql::execute(tx.conn, add, (number, now - age))?;
                let add =
                    "INSERT INTO listeners (exchange, key, listener, until) VALUES ('e', '', ?, ?)";
                sql::execute(tx.conn, add, (&name, until))?;
                let add = "INSERT INTO bindings (exchange, routing_key, queue, until) VALUES ('', ?1, ?1, ?2)";
                sql::execute(tx.conn, add, (&name, until))?;
                let add = "INSERT INTO messages (id, queue, step) VALUES (?1, CAST(?1 AS TEXT), 0)";
                sql::execute(tx.conn, add, [number])?;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn only_what_is_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteOptions::new(folder.path().join("broker.db"));
        let store = Store::open(file).await.unwrap();
        store.write(Fill).await.unwrap();
        store.write(Tidy).await.unwrap();
        for sum in [
            "SELECT sum(id) FROM feed",
            "SELECT sum(CAST(listener AS INTEGER)) FROM listeners",
            "SELECT sum(CAST(queue AS INTEGER)) FROM bindings",
            "SELECT sum(id) FROM messages",
        ] {
            assert_eq!(count(&store, sum).await, 3, "{sum}");
        }
    }
}

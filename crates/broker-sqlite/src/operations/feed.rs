//! The feed: what is told to those who listen now, and who they are. Nothing is written when nobody listens.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::steady_ms;
use crate::error::Result;
use crate::pack::json;

/// The exchange under which results are told; its keys are task ids.
pub(crate) const RESULTS: &str = "celery-task-meta";

/// A listener that has not been renewed for this long has gone.
pub(crate) const LISTENER_LEASE_MS: i64 = 60_000;

/// Entries that the feed keeps at most.
const FEED_LENGTH: i64 = 100_000;

const RENEW: &str = "UPDATE listeners SET until = ?1 WHERE listener = ?2";
const LISTEN: &str = "\
INSERT OR REPLACE INTO listeners (exchange, key, listener, until) SELECT ?1, value, ?2, ?3 FROM json_each(?4)";

/// Says something to all who listen on an exchange.
#[derive(Debug)]
pub(crate) struct Broadcast {
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

impl Broadcast {
    pub(crate) async fn send(&self, tx: &mut Tx<'_>) -> Result<()> {
        if !anybody_listens(tx, &self.exchange).await? {
            return Ok(());
        }
        let insert = sqlx::query("INSERT INTO feed (exchange, key, at, body) VALUES (?, ?, ?, ?)");
        let insert = insert
            .bind(&self.exchange)
            .bind(&self.key)
            .bind(steady_ms())
            .bind(&self.body[..]);
        let id = insert.execute(&mut *tx.conn).await?.last_insert_rowid();
        sqlx::query("DELETE FROM feed WHERE id <= ?")
            .bind(id - FEED_LENGTH)
            .execute(&mut *tx.conn)
            .await?;
        tx.ring(News::Feed);
        Ok(())
    }
}

#[async_trait]
impl Operation for Broadcast {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.send(tx).await
    }
}

pub(crate) async fn anybody_listens(tx: &mut Tx<'_>, exchange: &str) -> Result<bool> {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM listeners WHERE exchange = ?)");
    Ok(query.bind(exchange).fetch_one(&mut *tx.conn).await?)
}

/// Registers a listener, or renews it. The output is where in the feed it begins to listen, or `None` if it was
/// registered already, so that it goes on where it was.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) listener: String,
    pub(crate) exchange: String,
    pub(crate) keys: Vec<String>,
}

#[async_trait]
impl Operation for Listen {
    type Output = Option<i64>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<i64>> {
        let until = steady_ms() + LISTENER_LEASE_MS;
        let renewed = sqlx::query(RENEW)
            .bind(until)
            .bind(&self.listener)
            .execute(&mut *tx.conn)
            .await?;
        if renewed.rows_affected() > 0 {
            return Ok(None);
        }
        let listen = sqlx::query(LISTEN)
            .bind(&self.exchange)
            .bind(&self.listener)
            .bind(until)
            .bind(json(&self.keys)?);
        listen.execute(&mut *tx.conn).await?;
        let last = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'feed'");
        Ok(Some(
            last.fetch_optional(&mut *tx.conn)
                .await?
                .unwrap_or_default(),
        ))
    }
}

/// Takes a listener off the list.
#[derive(Debug)]
pub(crate) struct Unlisten(pub(crate) String);

#[async_trait]
impl Operation for Unlisten {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        sqlx::query("DELETE FROM listeners WHERE listener = ?")
            .bind(&self.0)
            .execute(&mut *tx.conn)
            .await?;
        Ok(())
    }
}

//! The feed: what is told to those who listen now, and who they are. Nothing is written when nobody listens.

use bytes::Bytes;

use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::steady_ms;
use crate::error::Result;
use crate::sql;

/// The exchange under which results are told; its keys are task ids.
pub(crate) const RESULTS: &str = "celery-task-meta";

/// A listener that has not been renewed for this long has gone.
pub(crate) const LISTENER_LEASE_MS: i64 = 60_000;

/// Entries that the feed keeps at most.
const FEED_LENGTH: i64 = 100_000;

const INSERT: &str = "INSERT INTO feed (exchange, key, at, body) VALUES (?, ?, ?, ?)";
const RENEW: &str = "UPDATE listeners SET until = ?1 WHERE listener = ?2";
const LISTEN: &str = "\
INSERT OR REPLACE INTO listeners (exchange, key, listener, until) VALUES (?1, ?2, ?3, ?4)";

/// Says something to all who listen on an exchange.
#[derive(Debug)]
pub(crate) struct Broadcast {
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

impl Broadcast {
    pub(crate) fn send(&self, tx: &mut Tx<'_>) -> Result<()> {
        if !anybody_listens(tx, &self.exchange)? {
            return Ok(());
        }
        let entry = (&self.exchange, &self.key, steady_ms(), &self.body[..]);
        sql::execute(tx.conn, INSERT, entry)?;
        let oldest = tx.conn.last_insert_rowid() - FEED_LENGTH;
        sql::execute(tx.conn, "DELETE FROM feed WHERE id <= ?", [oldest])?;
        tx.ring(News::Feed);
        Ok(())
    }
}

impl Operation for Broadcast {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.send(tx)
    }
}

pub(crate) fn anybody_listens(tx: &mut Tx<'_>, exchange: &str) -> Result<bool> {
    let listens = "SELECT EXISTS (SELECT 1 FROM listeners WHERE exchange = ?)";
    let (listens,) = sql::one(tx.conn, listens, [exchange])?;
    Ok(listens)
}

/// Registers a listener, or renews it. The output is where in the feed it begins to listen, or `None` if it was
/// registered already, so that it goes on where it was.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) listener: String,
    pub(crate) exchange: String,
    pub(crate) keys: Vec<String>,
}

impl Operation for Listen {
    type Output = Option<i64>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<i64>> {
        let until = steady_ms() + LISTENER_LEASE_MS;
        if sql::execute(tx.conn, RENEW, (until, &self.listener))? > 0 {
            return Ok(None);
        }
        let keys = self.keys.iter();
        let rows = keys.map(|key| (&self.exchange, key, &self.listener, until));
        sql::execute_each(tx.conn, LISTEN, rows)?;
        let last = "SELECT seq FROM sqlite_sequence WHERE name = 'feed'";
        let last = sql::first(tx.conn, last, [])?;
        Ok(Some(last.map_or(0, |(last,)| last)))
    }
}

/// Takes a listener off the list.
#[derive(Debug)]
pub(crate) struct Unlisten(pub(crate) String);

impl Operation for Unlisten {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        sql::execute(
            tx.conn,
            "DELETE FROM listeners WHERE listener = ?",
            [&self.0],
        )?;
        Ok(())
    }
}

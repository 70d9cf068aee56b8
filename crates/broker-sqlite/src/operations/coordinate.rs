//! Leases with fences, and commits under them.

use bytes::Bytes;

use super::publish::{Outgoing, publish};
use super::{Operation, Tx};
use crate::clock::steady_ms;
use crate::error::Result;
use crate::sql;

/// The holder renews under its old fence; another takes a lease that has run out, and the fence grows.
const ACQUIRE: &str = "\
INSERT INTO leases (name, owner, fence, until) VALUES (?1, ?2, 1, ?4)
ON CONFLICT (name) DO UPDATE SET
    fence = fence + (owner <> excluded.owner), owner = excluded.owner, until = excluded.until
WHERE owner = excluded.owner OR until <= ?3
RETURNING fence";
/// The row stays without an owner, so that the fence never falls.
const RELEASE: &str = "UPDATE leases SET owner = '', until = ?1 WHERE name = ?2 AND owner = ?3";
const STILL_HELD: &str = "SELECT EXISTS (SELECT 1 FROM leases WHERE name = ?1 AND fence = ?2 AND owner <> '' AND until > ?3)";
const WRITE_ENTRY: &str = "INSERT OR REPLACE INTO entries (space, key, value) VALUES (?, ?, ?)";
const DELETE_ENTRY: &str = "DELETE FROM entries WHERE space = ? AND key = ?";

/// Acquires or renews; the output is the fence, `None` when somebody else holds the lease.
#[derive(Debug)]
pub(crate) struct Acquire {
    pub(crate) lease: String,
    pub(crate) owner: String,
    pub(crate) ttl_ms: i64,
}

impl Operation for Acquire {
    type Output = Option<i64>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<i64>> {
        let now = steady_ms();
        let until = now.saturating_add(self.ttl_ms);
        let fence = sql::first(tx.conn, ACQUIRE, (&self.lease, &self.owner, now, until))?;
        Ok(fence.map(|(fence,)| fence))
    }
}

/// Gives a lease up.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) lease: String,
    pub(crate) owner: String,
}

impl Operation for Release {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        sql::execute(tx.conn, RELEASE, (steady_ms(), &self.lease, &self.owner))?;
        Ok(())
    }
}

/// Writes entries and publishes under a fence; the output is whether the lease was still held.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) lease: String,
    pub(crate) fence: i64,
    pub(crate) space: String,
    pub(crate) entries: Vec<(String, Option<Bytes>)>,
    pub(crate) publish: Vec<Outgoing>,
}

impl Operation for Commit {
    type Output = bool;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        let (held,): (bool,) =
            sql::one(tx.conn, STILL_HELD, (&self.lease, self.fence, steady_ms()))?;
        if !held {
            return Ok(false);
        }
        for (key, value) in &self.entries {
            write_entry(tx, &self.space, key, value.as_deref())?;
        }
        publish(tx, &self.publish)?;
        Ok(true)
    }
}

fn write_entry(tx: &mut Tx<'_>, space: &str, key: &str, value: Option<&[u8]>) -> Result<()> {
    match value {
        Some(value) => sql::execute(tx.conn, WRITE_ENTRY, (space, key, value))?,
        None => sql::execute(tx.conn, DELETE_ENTRY, (space, key))?,
    };
    Ok(())
}

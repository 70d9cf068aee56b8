//! Leases with fences, and commits under them.

use async_trait::async_trait;
use bytes::Bytes;

use super::publish::{Outgoing, publish};
use super::{Operation, Tx};
use crate::clock::steady_ms;
use crate::error::Result;

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

/// Acquires or renews; the output is the fence, `None` when somebody else holds the lease.
#[derive(Debug)]
pub(crate) struct Acquire {
    pub(crate) lease: String,
    pub(crate) owner: String,
    pub(crate) ttl_ms: i64,
}

#[async_trait]
impl Operation for Acquire {
    type Output = Option<i64>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<i64>> {
        let now = steady_ms();
        let acquire = sqlx::query_scalar(ACQUIRE)
            .bind(&self.lease)
            .bind(&self.owner);
        let acquire = acquire.bind(now).bind(now.saturating_add(self.ttl_ms));
        Ok(acquire.fetch_optional(&mut *tx.conn).await?)
    }
}

/// Gives a lease up.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) lease: String,
    pub(crate) owner: String,
}

#[async_trait]
impl Operation for Release {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let release = sqlx::query(RELEASE)
            .bind(steady_ms())
            .bind(&self.lease)
            .bind(&self.owner);
        release.execute(&mut *tx.conn).await?;
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

#[async_trait]
impl Operation for Commit {
    type Output = bool;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        let held = sqlx::query_scalar(STILL_HELD)
            .bind(&self.lease)
            .bind(self.fence)
            .bind(steady_ms());
        if !held.fetch_one(&mut *tx.conn).await? {
            return Ok(false);
        }
        for (key, value) in &self.entries {
            write_entry(tx, &self.space, key, value.as_deref()).await?;
        }
        publish(tx, &self.publish).await?;
        Ok(true)
    }
}

async fn write_entry(tx: &mut Tx<'_>, space: &str, key: &str, value: Option<&[u8]>) -> Result<()> {
    let write = match value {
        Some(value) => sqlx::query(WRITE_ENTRY).bind(space).bind(key).bind(value),
        None => sqlx::query("DELETE FROM entries WHERE space = ? AND key = ?")
            .bind(space)
            .bind(key),
    };
    write.execute(&mut *tx.conn).await?;
    Ok(())
}

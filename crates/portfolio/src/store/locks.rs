//! Locks: one run at a time for a key, with a lease that a dead owner cannot hold on to.

use jiff::{SignedDuration, Timestamp};

use super::Store;
use crate::error::{Error, Result};

/// A held lock.
#[derive(Clone, Debug)]
pub struct Lock {
    key: String,
    owner: String,
}

/// What asking for a lock gave.
#[derive(Clone, Debug)]
pub enum LockAttempt {
    /// It is ours.
    Acquired(Lock),
    /// Another owner holds it.
    Held {
        /// The holder.
        owner: String,
    },
}

impl Store {
    /// Takes the lock when it is free, expired, or already this owner's.
    pub async fn lock(
        &self,
        key: &str,
        owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<LockAttempt> {
        let query = self.sql(
            "INSERT INTO task_locks (key, owner, acquired_at, expires_at) VALUES (?1, ?2, ?3::timestamptz, ?4::timestamptz)
             ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at
             WHERE task_locks.expires_at <= excluded.acquired_at OR task_locks.owner = excluded.owner",
        );
        let query = query
            .bind(key)
            .bind(owner)
            .bind(stamp(now))
            .bind(stamp(now.saturating_add(lease).unwrap_or(Timestamp::MAX)));
        let taken = query.execute().await? == 1;
        if taken {
            return Ok(LockAttempt::Acquired(Lock {
                key: key.to_owned(),
                owner: owner.to_owned(),
            }));
        }
        let query = self
            .sql("SELECT owner FROM task_locks WHERE key = ?1")
            .bind(key);
        let holder = query.first().await?;
        Ok(LockAttempt::Held {
            owner: holder.map(|row| row.get("owner")).unwrap_or_default(),
        })
    }

    /// Moves the end of the lease; an error when another owner has taken the lock meanwhile.
    pub async fn renew(&self, lock: &Lock, now: Timestamp, lease: SignedDuration) -> Result<()> {
        let query = self.sql(
            "UPDATE task_locks SET expires_at = ?3::timestamptz WHERE key = ?1 AND owner = ?2",
        );
        let query = query
            .bind(lock.key.as_str())
            .bind(lock.owner.as_str())
            .bind(stamp(now.saturating_add(lease).unwrap_or(Timestamp::MAX)));
        let kept = query.execute().await? == 1;
        if kept {
            Ok(())
        } else {
            Err(Error::LockLost(lock.key.clone()))
        }
    }

    /// Gives the lock back; nothing happens when it was lost.
    pub async fn unlock(&self, lock: &Lock) -> Result<()> {
        let query = self
            .sql("DELETE FROM task_locks WHERE key = ?1 AND owner = ?2")
            .bind(lock.key.as_str())
            .bind(lock.owner.as_str());
        query.execute().await?;
        Ok(())
    }
}

/// Fixed width, so that texts compare as times do.
fn stamp(time: Timestamp) -> String {
    format!("{time:.9}")
}

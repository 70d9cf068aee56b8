//! The coordinator seam on a SQLite file.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use broker::{Commit, Coordinator, Fence, Holder, Result};
use bytes::Bytes;
use jiff::Timestamp;

use crate::SqliteBroker;
use crate::clock;
use crate::operations::coordinate::{self, Acquire, Release};
use crate::operations::remember::Remember;
use crate::reads;
use crate::wire::{self, effects::millis};

#[async_trait]
impl Coordinator for SqliteBroker {
    /// That of the machine, which all processes on the file share.
    async fn now(&self) -> Result<Timestamp> {
        Ok(clock::timestamp(clock::wall_ms()))
    }

    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        let acquire = Acquire {
            lease: lease.to_owned(),
            owner: owner.to_owned(),
            ttl_ms: millis(ttl),
        };
        let fence = self.store.write(acquire).await?;
        Ok(fence.map(|fence| Fence(fence.unsigned_abs())))
    }

    async fn release(&self, lease: &str, owner: &str) -> Result<()> {
        Ok(self
            .store
            .write(Release {
                lease: lease.to_owned(),
                owner: owner.to_owned(),
            })
            .await?)
    }

    async fn holder(&self, lease: &str) -> Result<Option<Holder>> {
        let held = reads::holder(&self.store.readers, lease).await?;
        Ok(held.map(|(owner, fence, left_ms)| Holder {
            owner,
            fence: Fence(fence.unsigned_abs()),
            remaining: Duration::from_millis(left_ms.unsigned_abs()),
        }))
    }

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        let entries = reads::entries(&self.store.readers, space).await?;
        Ok(entries
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect())
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        let found = reads::entries_of(&self.store.readers, space, keys).await?;
        let found: HashMap<String, Bytes> = found
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        let remember = Remember {
            space: space.to_owned(),
            texts,
            keep_ms: millis(keep),
        };
        Ok(self.store.write(remember).await?)
    }

    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        Ok(reads::remembered(&self.store.readers, space).await?)
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        let Commit {
            lease,
            fence,
            space,
            entries,
            publish,
        } = commit;
        let publish = wire::outgoing(publish)?;
        // A fence beyond SQLite's integers was never given out.
        let fence = i64::try_from(fence.0).unwrap_or(i64::MAX);
        Ok(self
            .store
            .write(coordinate::Commit {
                lease,
                fence,
                space,
                entries,
                publish,
            })
            .await?)
    }
}

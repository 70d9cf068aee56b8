//! Leases with fences, spaces of entries, and the coordinator seam on them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::MemoryBroker;
use super::envelope::Outgoing;
use crate::{Commit, Coordinator, Fence, Holder, MOST_REMEMBERED, Result};

#[derive(Debug)]
struct Lease {
    owner: Option<String>,
    fence: Fence,
    expires: Instant,
}

impl Lease {
    fn new() -> Self {
        Self {
            owner: None,
            fence: Fence(0),
            expires: Instant::now(),
        }
    }

    /// Who holds it now.
    fn owner(&self) -> Option<&str> {
        self.owner
            .as_deref()
            .filter(|_| Instant::now() < self.expires)
    }
}

/// All leases and spaces. A lease that was held once keeps its fence for ever.
#[derive(Debug, Default)]
pub(super) struct Coordination {
    leases: HashMap<String, Lease>,
    spaces: HashMap<String, BTreeMap<String, Bytes>>,
    memories: HashMap<String, Vec<Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    text: String,
    until: Instant,
}

impl Coordination {
    fn acquire(&mut self, lease: &str, owner: &str, ttl: Duration) -> Option<Fence> {
        let lease = self
            .leases
            .entry(lease.to_owned())
            .or_insert_with(Lease::new);
        match lease.owner() {
            Some(holder) if holder != owner => return None,
            Some(_) => {}
            None => lease.fence.0 += 1,
        }
        lease.owner = Some(owner.to_owned());
        lease.expires = Instant::now() + ttl;
        Some(lease.fence)
    }

    fn release(&mut self, lease: &str, owner: &str) {
        if let Some(lease) = self
            .leases
            .get_mut(lease)
            .filter(|lease| lease.owner() == Some(owner))
        {
            lease.owner = None;
        }
    }

    fn holder(&self, lease: &str) -> Option<Holder> {
        let lease = self.leases.get(lease)?;
        let remaining = lease.expires.saturating_duration_since(Instant::now());
        Some(Holder {
            owner: lease.owner()?.to_owned(),
            fence: lease.fence,
            remaining,
        })
    }

    fn is_held(&self, lease: &str, fence: Fence) -> bool {
        self.leases
            .get(lease)
            .is_some_and(|lease| lease.fence == fence && lease.owner().is_some())
    }

    fn load(&self, space: &str) -> Vec<(String, Bytes)> {
        let entries = self.spaces.get(space).into_iter().flatten();
        entries
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn fetch(&self, space: &str, keys: &[String]) -> Vec<Option<Bytes>> {
        let space = self.spaces.get(space);
        let find = |key| space.and_then(|space| space.get(key)).cloned();
        keys.iter().map(find).collect()
    }

    /// Keeps the texts in the order in which they end.
    fn remember(&mut self, space: &str, texts: Vec<String>, keep: Duration) {
        let until = Instant::now() + keep;
        let mut anew = HashSet::new();
        let texts: Vec<String> = texts
            .into_iter()
            .filter(|text| anew.insert(text.clone()))
            .collect();
        let memory = self.memories.entry(space.to_owned()).or_default();
        memory.retain(|old| Instant::now() < old.until && !anew.contains(&old.text));
        let texts = texts.into_iter().map(|text| Remembered { text, until });
        memory.extend(texts);
        memory.sort_by_key(|remembered| remembered.until);
        let surplus = memory.len().saturating_sub(MOST_REMEMBERED);
        memory.drain(..surplus);
    }

    fn remembered(&self, space: &str) -> Vec<String> {
        let memory = self.memories.get(space).into_iter().flatten();
        memory
            .filter(|remembered| Instant::now() < remembered.until)
            .map(|remembered| remembered.text.clone())
            .collect()
    }

    fn write(&mut self, space: String, entries: Vec<(String, Option<Bytes>)>) {
        let space = self.spaces.entry(space).or_default();
        for (key, value) in entries {
            match value {
                Some(value) => space.insert(key, value),
                None => space.remove(&key),
            };
        }
    }
}

#[async_trait]
impl Coordinator for MemoryBroker {
    async fn now(&self) -> Result<Timestamp> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| state.clock.now()))
    }

    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        self.shared.check_open()?;
        Ok(self
            .shared
            .look(|state| state.coordination.acquire(lease, owner, ttl)))
    }

    async fn release(&self, lease: &str, owner: &str) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| state.coordination.release(lease, owner));
        Ok(())
    }

    async fn holder(&self, lease: &str) -> Result<Option<Holder>> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| state.coordination.holder(lease)))
    }

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| state.coordination.load(space)))
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        self.shared.check_open()?;
        Ok(self
            .shared
            .look(|state| state.coordination.fetch(space, keys)))
    }

    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| state.coordination.remember(space, texts, keep));
        Ok(())
    }

    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        self.shared.check_open()?;
        Ok(self
            .shared
            .look(|state| state.coordination.remembered(space)))
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        self.shared.check_open()?;
        let Commit {
            lease,
            fence,
            space,
            entries,
            publish,
        } = commit;
        let publish = Outgoing::encode_all(publish)?;
        Ok(self.shared.change(|state| {
            let held = state.coordination.is_held(&lease, fence);
            if held {
                state.coordination.write(space, entries);
                publish.iter().for_each(|outgoing| state.deliver(outgoing));
            }
            held
        }))
    }
}

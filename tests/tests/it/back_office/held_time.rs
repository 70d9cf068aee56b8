//! A real server whose clock a test holds: everything else is the server's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use beat::Clock;
use broker::{Commit, Coordinator, Fence, Holder, Result};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

/// Stands still until it is moved; also as the clock of a machine that agrees with the server's.
#[derive(Debug)]
pub struct HeldTime {
    server: Arc<dyn Coordinator>,
    shown: Mutex<Timestamp>,
}

impl HeldTime {
    pub fn at(shown: Timestamp, server: Arc<dyn Coordinator>) -> Arc<Self> {
        let shown = Mutex::new(shown);
        Arc::new(Self { server, shown })
    }

    pub fn shown(&self) -> Timestamp {
        *self.shown.lock().unwrap()
    }

    pub fn pass(&self, time: SignedDuration) {
        *self.shown.lock().unwrap() += time;
    }
}

impl Clock for HeldTime {
    fn now(&self) -> Timestamp {
        self.shown()
    }
}

#[async_trait]
impl Coordinator for HeldTime {
    async fn now(&self) -> Result<Timestamp> {
        Ok(self.shown())
    }

    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        self.server.acquire(lease, owner, ttl).await
    }

    async fn release(&self, lease: &str, owner: &str) -> Result<()> {
        self.server.release(lease, owner).await
    }

    async fn holder(&self, lease: &str) -> Result<Option<Holder>> {
        self.server.holder(lease).await
    }

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        self.server.load(space).await
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        self.server.fetch(space, keys).await
    }

    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        self.server.remember(space, texts, keep).await
    }

    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        self.server.remembered(space).await
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        self.server.commit(commit).await
    }
}

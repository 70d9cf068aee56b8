//! What a layer before a coordinator leaves as it is.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::{Commit, Coordinator, Fence, Holder, Result};

/// A coordinator that does some things in its own way and leaves the others to the one below.
#[async_trait]
pub trait CoordinatorLayer: Send + Sync + fmt::Debug {
    /// The coordinator below.
    fn below(&self) -> &dyn Coordinator;

    /// As [`Coordinator::now`].
    async fn now(&self) -> Result<Timestamp> {
        self.below().now().await
    }

    /// As [`Coordinator::acquire`].
    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        self.below().acquire(lease, owner, ttl).await
    }

    /// As [`Coordinator::load`].
    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        self.below().load(space).await
    }

    /// As [`Coordinator::fetch`].
    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        self.below().fetch(space, keys).await
    }

    /// As [`Coordinator::remember`].
    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        self.below().remember(space, texts, keep).await
    }

    /// As [`Coordinator::remembered`].
    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        self.below().remembered(space).await
    }

    /// As [`Coordinator::commit`].
    async fn commit(&self, commit: Commit) -> Result<bool> {
        self.below().commit(commit).await
    }
}

#[async_trait]
impl<L: CoordinatorLayer> Coordinator for L {
    async fn now(&self) -> Result<Timestamp> {
        CoordinatorLayer::now(self).await
    }

    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        CoordinatorLayer::acquire(self, lease, owner, ttl).await
    }

    async fn release(&self, lease: &str, owner: &str) -> Result<()> {
        self.below().release(lease, owner).await
    }

    async fn holder(&self, lease: &str) -> Result<Option<Holder>> {
        self.below().holder(lease).await
    }

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        CoordinatorLayer::load(self, space).await
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        CoordinatorLayer::fetch(self, space, keys).await
    }

    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        CoordinatorLayer::remember(self, space, texts, keep).await
    }

    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        CoordinatorLayer::remembered(self, space).await
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        CoordinatorLayer::commit(self, commit).await
    }
}

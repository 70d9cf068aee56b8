//! Leases with fences, and commits that remember and publish in one step.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use crate::{Publish, Result};

/// Some of the entries of a space.
pub type Page = Vec<(String, Bytes)>;

/// How many entries a page holds, more or less.
pub const PAGE: usize = 2_000;

/// A number that grows with every change of a lease's holder. A commit with an older one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub u64);

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The owner's name.
    pub owner: String,
    /// Its fence.
    pub fence: Fence,
    /// How long the lease lasts if it is not renewed.
    pub remaining: Duration,
}

/// What is written and published in one atomic step, if the lease is still held under this fence.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The lease.
    pub lease: String,
    /// The fence it was acquired with.
    pub fence: Fence,
    /// The space that the entries belong to.
    pub space: String,
    /// Entries to write; `None` deletes.
    pub entries: Vec<(String, Option<Bytes>)>,
    /// Messages to publish.
    pub publish: Vec<Publish>,
}

/// How many texts a space remembers at most.
pub const MOST_REMEMBERED: usize = 50_000;

/// Leadership and the leader's memory, and what every worker should remember. Time is the server's, so that clocks of different machines do not matter.
#[async_trait]
pub trait Coordinator: Send + Sync + fmt::Debug {
    /// What the server's clock shows, to the millisecond at least.
    async fn now(&self) -> Result<Timestamp>;

    /// Acquires the lease, or renews it when `owner` holds it already (same fence). `None`: somebody else holds it.
    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>>;

    /// Gives the lease up if `owner` holds it.
    async fn release(&self, lease: &str, owner: &str) -> Result<()>;

    /// Who holds the lease.
    async fn holder(&self, lease: &str) -> Result<Option<Holder>>;

    /// All entries of a space.
    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>>;

    /// All entries of a space in pages, so that they can be dealt with while others are still on the way. An entry can come
    /// twice. Ends early when nobody takes the pages.
    async fn load_pages(&self, space: &str, pages: Sender<Page>) -> Result<()> {
        let mut entries = self.load(space).await?.into_iter();
        while entries.len() > 0 {
            if pages
                .send(entries.by_ref().take(PAGE).collect())
                .await
                .is_err()
            {
                break;
            }
        }
        Ok(())
    }

    /// These entries of a space, in the same order.
    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>>;

    /// Remembers texts in a space for so long. One that is remembered already is so anew. A space holds at most
    /// [`MOST_REMEMBERED`] texts; the oldest give way.
    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()>;

    /// What a space remembers, oldest first.
    async fn remembered(&self, space: &str) -> Result<Vec<String>>;

    /// Writes and publishes if the lease is still held under the fence; `false` (and nothing done) if not.
    async fn commit(&self, commit: Commit) -> Result<bool>;
}

//! Leases with fences, and commits, each one script. Fences come from the server's clock, so that they grow even after it lost its memory.

use std::collections::HashMap;
use std::time::Duration;

use ::broker::{Commit, Coordinator, Fence, Holder, MOST_REMEMBERED, PAGE, Page, Result};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use redis::{FromRedisValue, Pipeline, Value};
use tokio::sync::mpsc::Sender;

use crate::RedisBroker;
use crate::error::invalid;
use crate::script;

/// Texts of one script.
const CHUNK: usize = 1_000;
/// A hundred years; more would not fit the server's numbers.
const FOR_EVER_MS: u64 = 100 * 365 * 86_400_000;

/// Entries that one command asks for, so that it does not hold up the server.
const FETCHED: usize = 1_000;

impl RedisBroker {
    /// One page of a space, and where the next one begins.
    async fn scan(&self, space: &str, cursor: &str) -> Result<(String, Page)> {
        let mut command = redis::cmd("HSCAN");
        command.arg(self.keys.space(space)).arg(cursor);
        command.arg("COUNT").arg(PAGE);
        let answer = self.link.call("load entries", command).await?;
        let (cursor, page): (String, Vec<(String, Vec<u8>)>) = self.read("load entries", answer)?;
        let page = page.into_iter().map(|(name, value)| (name, value.into()));
        Ok((cursor, page.collect()))
    }

    fn read<T: FromRedisValue>(&self, action: &str, answer: Value) -> Result<T> {
        let value = answer
            .extract_error()
            .map_err(|error| self.link.explain(action, error))?;
        redis::from_redis_value(value).map_err(|error| self.link.explain(action, error.into()))
    }
}

#[async_trait]
impl Coordinator for RedisBroker {
    async fn now(&self) -> Result<Timestamp> {
        let action = "ask for the time";
        let answer = self.link.call(action, redis::cmd("TIME")).await?;
        let (seconds, micros): (i64, i32) = self.read(action, answer)?;
        Timestamp::new(seconds, micros.saturating_mul(1_000))
            .map_err(|error| invalid(format!("the server's clock shows no time: {error}")))
    }

    async fn acquire(&self, lease: &str, owner: &str, ttl: Duration) -> Result<Option<Fence>> {
        let mut command = script::ACQUIRE.on(&[self.keys.lease(lease), self.keys.fence(lease)]);
        command.arg(owner).arg(ttl.as_millis().max(1).to_string());
        let answer = self.link.call("acquire a lease", command).await?;
        let fence: Option<u64> = self.read("acquire a lease", answer)?;
        Ok(fence.map(Fence))
    }

    async fn release(&self, lease: &str, owner: &str) -> Result<()> {
        let mut command = script::LEAVE.on(&[self.keys.lease(lease)]);
        command.arg(owner);
        self.link.call("release a lease", command).await.map(|_| ())
    }

    async fn holder(&self, lease: &str) -> Result<Option<Holder>> {
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        pipeline.cmd("GET").arg(self.keys.lease(lease));
        pipeline.cmd("PTTL").arg(self.keys.lease(lease));
        let action = "read a lease";
        let answers = self
            .link
            .try_send(&pipeline)
            .await
            .map_err(|error| self.link.explain(action, error))?;
        let (held, remaining): (Option<String>, i64) = self.read(action, Value::Array(answers))?;
        Ok(held.and_then(|held| {
            let (fence, owner) = held.split_once(' ')?;
            let remaining = Duration::from_millis(u64::try_from(remaining).unwrap_or(0));
            Some(Holder {
                owner: owner.to_owned(),
                fence: Fence(fence.parse().ok()?),
                remaining,
            })
        }))
    }

    /// In pages, so that a space of a million entries does not hold up the server.
    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        let mut entries = Vec::new();
        let mut cursor = "0".to_owned();
        loop {
            let page: Page;
            (cursor, page) = self.scan(space, &cursor).await?;
            let is_first = entries.is_empty();
            entries.extend(page);
            if cursor == "0" {
                return Ok(if is_first {
                    entries
                } else {
                    once_each(entries)
                });
            }
        }
    }

    async fn load_pages(&self, space: &str, pages: Sender<Page>) -> Result<()> {
        let mut cursor = "0".to_owned();
        loop {
            let page: Page;
            (cursor, page) = self.scan(space, &cursor).await?;
            if pages.send(page).await.is_err() || cursor == "0" {
                return Ok(());
            }
        }
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(FETCHED) {
            let mut command = redis::cmd("HMGET");
            command.arg(self.keys.space(space)).arg(keys);
            let answer = self.link.call("fetch entries", command).await?;
            let found: Vec<Option<Vec<u8>>> = self.read("fetch entries", answer)?;
            values.extend(found.into_iter().map(|value| value.map(Bytes::from)));
        }
        Ok(values)
    }

    async fn remember(&self, space: &str, texts: Vec<String>, keep: Duration) -> Result<()> {
        let key = [self.keys.remembered(space)];
        for chunk in texts.chunks(CHUNK) {
            let mut command = script::REMEMBER.on(&key);
            command
                .arg(
                    u64::try_from(keep.as_millis())
                        .unwrap_or(FOR_EVER_MS)
                        .min(FOR_EVER_MS),
                )
                .arg(MOST_REMEMBERED)
                .arg(chunk);
            self.link.call("remember", command).await?;
        }
        Ok(())
    }

    async fn remembered(&self, space: &str) -> Result<Vec<String>> {
        let command = script::REMEMBERED.on(&[self.keys.remembered(space)]);
        let answer = self.link.call("read what is remembered", command).await?;
        self.read("read what is remembered", answer)
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        let mut command = script::COMMIT.on(&[
            self.keys.lease(&commit.lease),
            self.keys.space(&commit.space),
        ]);
        command.arg(commit.fence.0).arg(commit.entries.len());
        for (name, value) in &commit.entries {
            command.arg(name);
            match value {
                Some(value) => command.arg("1").arg(&value[..]),
                None => command.arg("0").arg(""),
            };
        }
        for message in self.router.resolve(commit.publish).await? {
            command
                .arg(message.verb)
                .arg(message.key)
                .arg(&*message.payload);
        }
        match self.link.call("commit", command).await? {
            Value::Int(done) => Ok(done == 1),
            reason => Err(invalid(format!(
                "cannot commit: {}",
                self.read::<String>("commit", reason)?
            ))),
        }
    }
}

/// A page can repeat entries of another when the server has made its table larger in between.
fn once_each(entries: Vec<(String, Bytes)>) -> Vec<(String, Bytes)> {
    let unique: HashMap<String, Bytes> = entries.into_iter().collect();
    unique.into_iter().collect()
}

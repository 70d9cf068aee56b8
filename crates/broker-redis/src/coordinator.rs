//! Leases with fences, and commits, each one script. Fences come from the server's clock, so that they grow even after it lost its memory.

use std::time::Duration;

use ::broker::{BrokerError, Commit, Coordinator, ErrorKind, Fence, Holder, Result};
use async_trait::async_trait;
use bytes::Bytes;
use redis::{FromRedisValue, Pipeline, Value};

use crate::RedisBroker;
use crate::error::invalid;
use crate::script;

impl RedisBroker {
    fn read<T: FromRedisValue>(&self, action: &str, answer: Value) -> Result<T> {
        let value = answer
            .extract_error()
            .map_err(|error| self.link.explain(action, error))?;
        redis::from_redis_value(value).map_err(|error| self.link.explain(action, error.into()))
    }
}

#[async_trait]
impl Coordinator for RedisBroker {
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

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.keys.space(space));
        let answer = self.link.call("load entries", command).await?;
        let entries: Vec<(String, Vec<u8>)> = self.read("load entries", answer)?;
        Ok(entries
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect())
    }

    async fn remember(&self, _space: &str, _texts: Vec<String>, _keep: Duration) -> Result<()> {
        let why = "remembering texts is not supported yet";
        Err(BrokerError::new(ErrorKind::Other, why))
    }

    async fn remembered(&self, _space: &str) -> Result<Vec<String>> {
        let why = "remembering texts is not supported yet";
        Err(BrokerError::new(ErrorKind::Other, why))
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

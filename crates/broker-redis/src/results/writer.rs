//! How a meta becomes a key and a value, and back.

use broker::{Result, ResultPolicy};
use protocol::{Limits, State, TaskMeta};
use redis::Cmd;

use crate::link::Link;
use crate::options::RedisOptions;

/// Stored metas that are read at once.
const LOOK: usize = 64;

/// A meta to store, as the scripts take it.
#[derive(Debug)]
pub(crate) struct StoreItem {
    key: String,
    value: Vec<u8>,
    /// Seconds; 0 keeps it for ever.
    ttl: u64,
    /// The stored bytes that may be overwritten although the script cannot read them.
    known: Vec<u8>,
}

impl StoreItem {
    /// About how many bytes it sends.
    pub(crate) fn size(&self) -> usize {
        self.value.len() + self.known.len()
    }

    /// How long it is kept, if nothing is known of what is stored under its key.
    pub(crate) fn fresh_ttl(&self) -> Option<u64> {
        self.known.is_empty().then_some(self.ttl)
    }

    /// Adds its key and the meta.
    pub(crate) fn add_entry_to<'a>(&self, command: &'a mut Cmd) -> &'a mut Cmd {
        command.arg(&self.key).arg(&self.value)
    }

    /// Adds the operands of the scripts' `store`.
    pub(crate) fn add_to<'a>(&self, command: &'a mut Cmd) -> &'a mut Cmd {
        command
            .arg(&self.key)
            .arg(&self.value)
            .arg(self.ttl)
            .arg(&self.known)
    }
}

/// Encodes and names metas.
#[derive(Debug)]
pub(crate) struct ResultWriter {
    policy: ResultPolicy,
    prefix: String,
    limits: Limits,
}

impl ResultWriter {
    /// `options` are the result backend's own, also when it shares the broker's server.
    pub(crate) fn new(options: &RedisOptions, policy: ResultPolicy) -> Self {
        Self {
            policy,
            prefix: separated(&options.global_keyprefix),
            limits: options.limits,
        }
    }

    pub(crate) fn policy(&self) -> &ResultPolicy {
        &self.policy
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The key, and the channel, of a task's meta.
    pub(crate) fn key(&self, task_id: &str) -> String {
        format!("{}celery-task-meta-{task_id}", self.prefix)
    }

    /// The key of a saved group.
    pub(crate) fn group_key(&self, group_id: &str) -> String {
        format!("{}celery-taskset-meta-{group_id}", self.prefix)
    }

    pub(crate) fn encode(&self, meta: &TaskMeta) -> Result<StoreItem> {
        let expires = match meta.status {
            State::Failure => self.policy.failure_expires.or(self.policy.expires),
            _ => self.policy.expires,
        };
        Ok(StoreItem {
            key: self.key(&meta.task_id),
            value: meta.encode(self.policy.codec, self.policy.packing())?,
            ttl: expires.map_or(0, |expires| expires.as_secs()),
            known: Vec::new(),
        })
    }

    pub(crate) fn decode(&self, raw: &[u8]) -> Result<TaskMeta> {
        Ok(TaskMeta::decode(raw, &self.policy.codec, &self.limits)?)
    }

    /// The metas of these tasks, in one round trip.
    pub(crate) async fn fetch(
        &self,
        link: &Link,
        task_ids: &[String],
    ) -> Result<Vec<Option<TaskMeta>>> {
        if task_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("MGET");
        command.arg(task_ids.iter().map(|id| self.key(id)).collect::<Vec<_>>());
        let action = "fetch results";
        let answer = link.call(action, command).await?;
        let stored: Vec<Option<Vec<u8>>> =
            redis::from_redis_value(answer).map_err(|error| link.explain(action, error.into()))?;
        stored
            .into_iter()
            .map(|raw| raw.map(|raw| self.decode(&raw)).transpose())
            .collect()
    }

    /// Whether the task has ended already. What cannot be read has not.
    pub(crate) async fn is_ready(&self, link: &Link, task_id: &str) -> Result<bool> {
        let stored = texts(link, &[&self.key(task_id)]).await?;
        Ok(stored
            .into_iter()
            .flatten()
            .next()
            .and_then(|raw| self.decode(&raw).ok())
            .is_some_and(|meta| meta.status.is_ready()))
    }

    /// A script could not read what is stored under the keys of these items. `true`: it is a SUCCESS and stays. `false`: it may be
    /// overwritten as long as it is still what was read now; the item says so.
    pub(crate) async fn look_at_stored(
        &self,
        link: &Link,
        mut items: Vec<&mut StoreItem>,
    ) -> Result<Vec<bool>> {
        let mut kept = Vec::with_capacity(items.len());
        for chunk in items.chunks_mut(LOOK) {
            let keys: Vec<&str> = chunk.iter().map(|item| item.key.as_str()).collect();
            let stored = texts(link, &keys).await?;
            for (item, stored) in chunk.iter_mut().zip(stored) {
                item.known = stored.unwrap_or_default();
                let meta = self.decode(&item.known);
                kept.push(meta.is_ok_and(|meta| meta.status == State::Success));
            }
        }
        Ok(kept)
    }
}

/// What is stored under the keys. `MGET` finds nothing where `GET` would fail: under a key that is no text.
async fn texts(link: &Link, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>> {
    let action = "read stored results";
    let mut command = redis::cmd("MGET");
    command.arg(keys);
    let answer = link.persist(action, command).await?;
    redis::from_redis_value(answer).map_err(|error| link.explain(action, error.into()))
}

/// Celery's rule: a `_` follows the prefix unless it ends in a separator already.
fn separated(prefix: &str) -> String {
    match prefix.chars().last() {
        None | Some(':' | '_' | '-' | '.') => prefix.to_owned(),
        Some(_) => format!("{prefix}_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_separated_as_celery_does() {
        for (prefix, expected) in [
            ("", ""),
            ("app", "app_"),
            ("app_", "app_"),
            ("app:", "app:"),
            ("a-", "a-"),
            ("a.", "a."),
        ] {
            assert_eq!(separated(prefix), expected);
        }
    }
}

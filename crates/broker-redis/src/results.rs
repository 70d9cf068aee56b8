//! Results on Redis: Celery's keys and rules.
//!
//! `celery-task-meta-<id>` holds a meta; the channel of the same name tells those who wait. A stored SUCCESS is never overwritten,
//! which a script decides; a meta that is compressed is decoded here, and the script then replaces exactly the one that was decoded.

mod chords;
mod effects;
mod watch;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use broker::{Result, ResultBackend, ResultPolicy, ResultStream, Stored};
use protocol::{ResultTuple, TaskMeta, Value, decode_group, encode_group};
use redis::Pipeline;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use effects::EffectsItem;
pub(crate) use writer::{ResultWriter, StoreItem};

use crate::error::closed;
use crate::hub::Hub;
use crate::link::{Connector, Link};
use crate::options::RedisOptions;
use crate::script;
use redis::from_redis_value;

/// Metas of one script; bounds how long it occupies the server.
const CHUNK: usize = 256;

/// A result backend on Redis. `options.global_keyprefix` is `result_backend_transport_options.global_keyprefix`.
#[derive(Debug)]
pub struct RedisResults {
    writer: Arc<ResultWriter>,
    link: Link,
    hub: Arc<Hub>,
    stop: CancellationToken,
    _dropped: DropGuard,
}

impl RedisResults {
    /// Connects, once.
    ///
    /// # Errors
    /// Says what to do: unreachable, denied, or wrong options.
    pub async fn connect(options: RedisOptions, policy: ResultPolicy) -> Result<Arc<Self>> {
        let connector = Connector::new(&options)?;
        let stop = CancellationToken::new();
        let link = Link::new(connector.clone(), stop.clone());
        if !options.connect_lazily {
            link.call("connect", redis::cmd("PING")).await?;
        }
        Ok(Arc::new(Self {
            writer: Arc::new(ResultWriter::new(&options, policy)),
            link,
            hub: Hub::new(connector, stop.clone()),
            _dropped: stop.clone().drop_guard(),
            stop,
        }))
    }

    async fn store_all(&self, items: &mut [StoreItem]) -> Result<Vec<Stored>> {
        let mut outcome = vec![Stored::KeptSuccess; items.len()];
        let mut open: Vec<usize> = (0..items.len()).collect();
        while !open.is_empty() {
            let mut again = Vec::new();
            for (place, answer) in self.send(items, &open).await? {
                match answer.as_str() {
                    "written" => outcome[place] = Stored::Written,
                    "compressed" => again.push(place),
                    _ => {}
                }
            }
            let unread = items
                .iter_mut()
                .enumerate()
                .filter(|(place, _)| again.binary_search(place).is_ok())
                .map(|(_, item)| item);
            let kept = self
                .writer
                .look_at_stored(&self.link, unread.collect())
                .await?;
            let mut kept = kept.into_iter();
            again.retain(|_| !kept.next().unwrap_or_default());
            open = again;
        }
        Ok(outcome)
    }

    async fn delete(&self, keys: Vec<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("DEL");
        command.arg(keys);
        self.link.call("forget results", command).await.map(|_| ())
    }

    async fn send(&self, items: &[StoreItem], open: &[usize]) -> Result<Vec<(usize, String)>> {
        let mut pipeline = Pipeline::new();
        for chunk in open.chunks(CHUNK) {
            let mut command = script::STORE.on::<&str>(&[]);
            for place in chunk {
                items[*place].add_to(&mut command);
            }
            pipeline.add_command(command);
        }
        let fail = |error| self.link.explain("store results", error);
        let mut answers = Vec::with_capacity(open.len());
        for answer in self.link.try_send(&pipeline).await.map_err(fail)? {
            let answer: Vec<String> = from_redis_value(answer.extract_error().map_err(fail)?)
                .map_err(|error| fail(error.into()))?;
            answers.extend(answer);
        }
        Ok(open.iter().copied().zip(answers).collect())
    }
}

#[async_trait]
impl ResultBackend for RedisResults {
    async fn store(&self, metas: Vec<TaskMeta>) -> Result<Vec<Stored>> {
        let items: Result<Vec<StoreItem>> =
            metas.iter().map(|meta| self.writer.encode(meta)).collect();
        self.store_all(&mut items?).await
    }

    async fn fetch(&self, task_ids: &[String]) -> Result<Vec<Option<TaskMeta>>> {
        self.writer.fetch(&self.link, task_ids).await
    }

    async fn watch(&self, task_ids: Vec<String>) -> Result<ResultStream> {
        if self.stop.is_cancelled() {
            return Err(closed());
        }
        watch::start(
            Arc::clone(&self.writer),
            self.link.clone(),
            &self.hub,
            task_ids,
        )
        .await
    }

    async fn forget(&self, task_ids: &[String]) -> Result<()> {
        self.delete(task_ids.iter().map(|id| self.writer.key(id)).collect())
            .await
    }

    async fn save_group(&self, group_id: &str, result: Value) -> Result<()> {
        let policy = self.writer.policy();
        let group = ResultTuple::from_value(result)?;
        let value = encode_group(&group, policy.codec, policy.packing())?;
        let key = self.writer.group_key(group_id);
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        let set = pipeline.cmd("SET").arg(&key).arg(&value);
        if let Some(expires) = policy.expires.filter(|expires| expires.as_secs() > 0) {
            set.arg("EX").arg(expires.as_secs());
        }
        pipeline.cmd("PUBLISH").arg(&key).arg(&value);
        let saved = self.link.try_send(&pipeline).await;
        saved
            .map(|_| ())
            .map_err(|error| self.link.explain("save a group", error))
    }

    async fn restore_group(&self, group_id: &str) -> Result<Option<Value>> {
        let mut command = redis::cmd("GET");
        command.arg(self.writer.group_key(group_id));
        let action = "restore a group";
        let answer = self.link.call(action, command).await?;
        let stored: Option<Vec<u8>> =
            from_redis_value(answer).map_err(|error| self.link.explain(action, error.into()))?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let group = decode_group(&stored, &self.writer.policy().codec, self.writer.limits())?;
        Ok(Some(Value::from(&group)))
    }

    async fn forget_group(&self, group_id: &str) -> Result<()> {
        self.delete(vec![self.writer.group_key(group_id)]).await
    }

    /// The server expires them itself.
    async fn cleanup(&self) -> Result<u64> {
        Ok(0)
    }

    fn supports_autoexpire(&self) -> bool {
        true
    }
}

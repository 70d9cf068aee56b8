//! Waiting for one task or many: one question for what is stored already, then one subscription for the rest.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;
use std::vec;

use broker::ResultStream;
use protocol::{State, TaskMeta};
use tokio::time::{Instant, timeout_at};

use super::closed;
use crate::{Client, ClientError, TaskError};

/// Metas of tasks as they end.
#[derive(Debug)]
pub(super) struct Ready {
    client: Client,
    /// What was stored when the waiting began.
    stored: vec::IntoIter<TaskMeta>,
    /// What comes since; `None` until it is needed.
    metas: Option<ResultStream>,
    /// Those that have not ended, with their last known state.
    waiting: HashMap<String, State>,
    timeout: Duration,
    deadline: Instant,
}

impl Ready {
    /// Looks at what is there already. For tasks that have all ended this is everything.
    pub(super) async fn open(
        client: &Client,
        ids: impl IntoIterator<Item = String>,
        timeout: Duration,
    ) -> Result<Self, TaskError> {
        let ids: Vec<String> = ids.into_iter().collect();
        let waiting = ids.iter().map(|id| (id.clone(), State::Pending)).collect();
        let mut ready = Self {
            client: client.clone(),
            stored: Vec::new().into_iter(),
            metas: None,
            waiting,
            timeout,
            deadline: Instant::now() + timeout,
        };
        let results = client.results()?;
        if !ids.is_empty() {
            let stored = ready.in_time(results.fetch(&ids)).await?;
            let stored = stored.map_err(ClientError::broker("fetch the result"))?;
            ready.stored = stored.into_iter().flatten().collect::<Vec<_>>().into_iter();
        }
        Ok(ready)
    }

    /// The next task that has ended, each once; `None` when all have. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<TaskMeta>, TaskError> {
        while !self.waiting.is_empty() {
            let meta = match self.stored.next() {
                Some(meta) => meta,
                None => self.news().await?,
            };
            if !meta.status.is_ready() {
                if let Some(state) = self.waiting.get_mut(&meta.task_id) {
                    *state = meta.status;
                }
            } else if self.waiting.remove(&meta.task_id).is_some() {
                return Ok(Some(meta));
            }
        }
        Ok(None)
    }

    /// What has come since. The subscription begins with what is stored by then, so that nothing is missed between.
    async fn news(&mut self) -> Result<TaskMeta, TaskError> {
        if self.metas.is_none() {
            let ids = self.waiting.keys().cloned().collect();
            let opened = self.in_time(self.client.results()?.watch(ids)).await?;
            self.metas = Some(opened.map_err(ClientError::broker("wait for the result"))?);
        }
        let metas = self.metas.as_mut().expect("it was opened just now");
        let meta = timeout_at(self.deadline, metas.next()).await;
        let meta = meta.map_err(|_| late(&self.waiting, self.timeout))?;
        meta.ok_or_else(|| closed().into())
    }

    async fn in_time<T>(&self, step: impl Future<Output = T>) -> Result<T, TaskError> {
        let done = timeout_at(self.deadline, step).await;
        done.map_err(|_| late(&self.waiting, self.timeout))
    }
}

/// Names one of those that are late.
fn late(waiting: &HashMap<String, State>, timeout: Duration) -> TaskError {
    let first = waiting.iter().min_by_key(|(id, _)| *id);
    let (id, state) = first.expect("nobody waits for no task at all");
    TaskError::Timeout {
        id: id.clone(),
        state: state.clone(),
        timeout,
    }
}

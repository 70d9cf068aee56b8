//! Waiting for one task or many with one subscription.

use std::collections::HashMap;
use std::time::Duration;

use broker::ResultStream;
use protocol::{State, TaskMeta};
use tokio::time::{Instant, timeout_at};

use super::closed;
use crate::{Client, ClientError, TaskError};

/// Metas of tasks as they end.
#[derive(Debug)]
pub(super) struct Ready {
    /// `None` when there is nothing to wait for.
    metas: Option<ResultStream>,
    /// Those that have not ended, with their last known state.
    waiting: HashMap<String, State>,
    timeout: Duration,
    deadline: Instant,
}

impl Ready {
    /// Subscribes, before it is looked at what is there already.
    pub(super) async fn open(
        client: &Client,
        ids: impl IntoIterator<Item = String>,
        timeout: Duration,
    ) -> Result<Self, TaskError> {
        let deadline = Instant::now() + timeout;
        let ids: Vec<String> = ids.into_iter().collect();
        let waiting: HashMap<_, _> = ids.iter().map(|id| (id.clone(), State::Pending)).collect();
        let results = client.results()?;
        let metas = match ids.is_empty() {
            true => None,
            false => {
                let opened = timeout_at(deadline, results.watch(ids))
                    .await
                    .map_err(|_| late(&waiting, timeout))?;
                Some(opened.map_err(ClientError::broker("wait for the result"))?)
            }
        };
        Ok(Self {
            metas,
            waiting,
            timeout,
            deadline,
        })
    }

    /// The next task that has ended, each once; `None` when all have. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<TaskMeta>, TaskError> {
        while let Some(metas) = &mut self.metas
            && !self.waiting.is_empty()
        {
            let meta = timeout_at(self.deadline, metas.next())
                .await
                .map_err(|_| late(&self.waiting, self.timeout))?
                .ok_or_else(closed)?;
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

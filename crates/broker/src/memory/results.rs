//! The result seam on the shared state.

use async_trait::async_trait;
use protocol::{TaskMeta, Value};
use tokio::sync::{Notify, mpsc};

use super::MemoryBroker;
use super::shared::Shared;
use crate::{Result, ResultBackend, ResultStream, Stored};

const BUFFER: usize = 64;

#[async_trait]
impl ResultBackend for MemoryBroker {
    async fn store(&self, metas: Vec<TaskMeta>) -> Result<Vec<Stored>> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| {
            metas
                .into_iter()
                .map(|meta| state.results.store(meta))
                .collect()
        }))
    }

    async fn fetch(&self, task_ids: &[String]) -> Result<Vec<Option<TaskMeta>>> {
        self.shared.check_open()?;
        Ok(self
            .shared
            .look(|state| task_ids.iter().map(|id| state.results.fetch(id)).collect()))
    }

    async fn watch(&self, task_ids: Vec<String>) -> Result<ResultStream> {
        self.shared.check_open()?;
        let (sender, receiver) = mpsc::channel(BUFFER);
        let stop = self.shared.closed.child_token();
        let guard = stop.clone().drop_guard();
        let shared = self.shared.clone();
        let (watcher, wake) = shared.look(|state| state.results.watch(task_ids));
        tokio::spawn(async move {
            stop.run_until_cancelled(feed(&shared, watcher, &wake, sender))
                .await;
            shared.look(|state| state.results.unwatch(watcher));
        });
        Ok(ResultStream::new(receiver, guard))
    }

    async fn forget(&self, task_ids: &[String]) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| task_ids.iter().for_each(|id| state.results.forget(id)));
        Ok(())
    }

    async fn save_group(&self, group_id: &str, result: Value) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| state.results.save_group(group_id, result));
        Ok(())
    }

    async fn restore_group(&self, group_id: &str) -> Result<Option<Value>> {
        self.shared.check_open()?;
        Ok(self
            .shared
            .look(|state| state.results.restore_group(group_id)))
    }

    async fn forget_group(&self, group_id: &str) -> Result<()> {
        self.shared.check_open()?;
        self.shared
            .look(|state| state.results.forget_group(group_id));
        Ok(())
    }

    async fn cleanup(&self) -> Result<u64> {
        self.shared.check_open()?;
        Ok(self.shared.look(|state| {
            state.chords.cleanup();
            state.results.cleanup()
        }))
    }

    fn supports_autoexpire(&self) -> bool {
        true
    }
}

async fn feed(shared: &Shared, watcher: u64, wake: &Notify, sender: mpsc::Sender<TaskMeta>) {
    loop {
        for meta in shared.look(|state| state.results.take_pending(watcher)) {
            if sender.send(meta).await.is_err() {
                return;
            }
        }
        wake.notified().await;
    }
}

//! Watching results.

use std::sync::Arc;

use broker::{ResultPolicy, ResultStream};
use protocol::{Limits, TaskMeta};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::{Cursor, RENEW_EVERY, Reader, Renewal, WAITING, run, stopper, unlisten};
use crate::bell::News;
use crate::error::Result;
use crate::operations::feed::{Listen, RESULTS};
use crate::operations::results::Watch;
use crate::store::Store;

/// Registers a watcher and starts its reader, which begins with what is stored.
pub(crate) async fn watch(
    store: Arc<Store>,
    task_ids: Vec<String>,
    policy: ResultPolicy,
) -> Result<ResultStream> {
    let keys = serde_json::to_string(&task_ids)?;
    let listen = Listen {
        listener: Uuid::new_v4().to_string(),
        exchange: RESULTS.to_owned(),
        keys: task_ids,
    };
    let news = store.bell.hear(News::Feed);
    let (after, stored) = store
        .write(Watch(listen.clone()))
        .await?
        .unwrap_or_default();
    let (metas, received) = mpsc::channel(WAITING);
    let (stop, guard) = stopper(&store);
    let cursor = Cursor {
        store: store.clone(),
        exchange: RESULTS.to_owned(),
        keys: Some(keys),
        after,
    };
    let reader = ResultReader {
        cursor,
        listen,
        policy,
        news,
        metas,
        stored,
        renewal: Renewal::new(RENEW_EVERY),
    };
    store.clone().tasks.spawn(async move {
        let listener = reader.listen.listener.clone();
        stop.run_until_cancelled_owned(run(reader)).await;
        unlisten(&store, listener).await;
    });
    Ok(ResultStream::new(received, guard))
}

struct ResultReader {
    cursor: Cursor,
    listen: Listen,
    policy: ResultPolicy,
    news: watch::Receiver<u64>,
    metas: mpsc::Sender<TaskMeta>,
    /// What was stored before anything in the feed, until it is passed on.
    stored: Vec<Vec<u8>>,
    renewal: Renewal,
}

impl Reader for ResultReader {
    const WHAT: &'static str = "the feed of results";

    fn news(&mut self) -> &mut watch::Receiver<u64> {
        &mut self.news
    }

    async fn turn(&mut self) -> Result<bool> {
        if self.renewal.is_due()
            && let Some((after, stored)) =
                self.cursor.store.write(Watch(self.listen.clone())).await?
        {
            // It was taken off the list, because its process was frozen for long: it begins anew.
            self.cursor.after = after;
            self.stored = stored;
        }
        let stored = std::mem::take(&mut self.stored);
        self.pass_on(stored).await;
        let entries = self.cursor.advance().await?;
        let found = !entries.is_empty();
        self.pass_on(entries.into_iter().map(|(_, _, body)| body))
            .await;
        Ok(found)
    }
}

impl ResultReader {
    async fn pass_on(&self, bodies: impl IntoIterator<Item = Vec<u8>>) {
        for body in bodies {
            match TaskMeta::decode(&body, &self.policy.codec, &Limits::default()) {
                // A watcher that has gone ends this task through its guard.
                Ok(meta) => self.metas.send(meta).await.unwrap_or_default(),
                Err(error) => tracing::warn!(%error, "a stored result cannot be read"),
            }
        }
    }
}

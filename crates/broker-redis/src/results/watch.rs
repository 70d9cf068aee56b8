//! Waiting for results: subscribe, then read what is there already, then pass on what comes. After a lost connection, or when
//! messages came faster than they were read, what is stored is read again, so that no final state is missed.

use std::collections::HashSet;
use std::sync::Arc;

use broker::{Result, ResultStream};
use protocol::TaskMeta;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ResultWriter;
use crate::hub::{Heard, Hub, Listening};
use crate::link::Link;

/// Metas that wait for a slow reader; the feeder then waits too.
const BUFFER: usize = 64;

struct Feeder {
    writer: Arc<ResultWriter>,
    link: Link,
    listening: Listening,
    /// Tasks that have not ended as far as was passed on.
    open: HashSet<String>,
    metas: mpsc::Sender<TaskMeta>,
}

/// Starts watching; returns when the server knows of it.
pub(super) async fn start(
    writer: Arc<ResultWriter>,
    link: Link,
    hub: &Arc<Hub>,
    task_ids: Vec<String>,
) -> Result<ResultStream> {
    let topics = task_ids.iter().map(|id| writer.key(id)).collect();
    let listening = hub.listen(false, topics).await?;
    let stored = writer.fetch(&link, &task_ids).await?;
    let (metas, receiver) = mpsc::channel(BUFFER);
    let stop = CancellationToken::new();
    let feeder = Feeder {
        writer,
        link,
        listening,
        open: task_ids.into_iter().collect(),
        metas,
    };
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(feeder.run(stored.into_iter().flatten().collect())),
    );
    Ok(ResultStream::new(receiver, stop.drop_guard()))
}

impl Feeder {
    async fn run(mut self, stored: Vec<TaskMeta>) {
        let mut news = stored;
        loop {
            for meta in news {
                if meta.status.is_ready() {
                    self.open.remove(&meta.task_id);
                }
                if self.metas.send(meta).await.is_err() {
                    return;
                }
            }
            news = match self.listening.next().await {
                Heard::Payload(payload) => self.decode(&payload),
                Heard::Gap => self.reread().await,
                Heard::End => return,
            };
        }
    }

    fn decode(&self, payload: &[u8]) -> Vec<TaskMeta> {
        match self.writer.decode(payload) {
            Ok(meta) => vec![meta],
            Err(error) => {
                tracing::warn!(%error, "a published result cannot be understood");
                Vec::new()
            }
        }
    }

    async fn reread(&self) -> Vec<TaskMeta> {
        let open: Vec<String> = self.open.iter().cloned().collect();
        match self.writer.fetch(&self.link, &open).await {
            Ok(stored) => stored.into_iter().flatten().collect(),
            Err(error) => {
                tracing::warn!(%error, "cannot read results after a gap");
                Vec::new()
            }
        }
    }
}

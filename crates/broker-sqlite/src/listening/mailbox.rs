//! Reading a mailbox: a private queue, read without acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use broker::Subscription;
use protocol::{Limits, Message};
use tokio::sync::{mpsc, watch};

use super::{Reader, Renewal, WAITING, run, stopper};
use crate::bell::News;
use crate::error::Result;
use crate::operations::mailbox::{Bind, Collect, Letters, Mailbox, Unbind};
use crate::reads;
use crate::store::Store;

/// Binds the mailbox and starts its reader.
pub(crate) async fn subscribe(store: Arc<Store>, mailbox: Mailbox) -> Result<Subscription> {
    let news = store.bell.hear(News::Ready);
    store.write(Bind(mailbox.clone())).await?;
    let (messages, received) = mpsc::channel(WAITING);
    let (stop, guard) = stopper(&store);
    let renewal = Renewal::new(Duration::from_millis(mailbox.expires_ms.unsigned_abs() / 3));
    let reader = MailboxReader {
        store: store.clone(),
        mailbox,
        news,
        messages,
        letters: Letters::default(),
        renewal,
    };
    store.clone().tasks.spawn(async move {
        let queue = reader.mailbox.queue.clone();
        stop.run_until_cancelled_owned(run(reader)).await;
        if let Err(error) = store.write(Unbind(queue)).await {
            tracing::debug!(%error, "a mailbox stays until it expires");
        }
    });
    Ok(Subscription::new(received, guard))
}

struct MailboxReader {
    store: Arc<Store>,
    mailbox: Mailbox,
    news: watch::Receiver<u64>,
    messages: mpsc::Sender<Message>,
    letters: Letters,
    renewal: Renewal,
}

impl Reader for MailboxReader {
    const WHAT: &'static str = "a mailbox";

    fn news(&mut self) -> &mut watch::Receiver<u64> {
        &mut self.news
    }

    async fn turn(&mut self) -> Result<bool> {
        if self.renewal.is_due() {
            self.store.write(Bind(self.mailbox.clone())).await?;
        }
        // Most bells ring for other queues: look before asking for the write lock.
        if !reads::has_ready(&self.store.readers, &self.mailbox.queue).await? {
            return Ok(false);
        }
        let queue = self.mailbox.queue.clone();
        let collect = Collect {
            queue,
            letters: self.letters.clone(),
            taken: Vec::new(),
        };
        let found = self.store.write(collect).await? > 0;
        while let Some(letter) = self.letters.next() {
            self.pass_on(&letter).await;
        }
        Ok(found)
    }
}

impl MailboxReader {
    async fn pass_on(&self, letter: &[u8]) {
        match Message::from_envelope(letter, &Limits::default()) {
            // A subscriber that has gone ends this task through its guard.
            Ok(message) => self.messages.send(message).await.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, queue = %self.mailbox.queue, "a letter cannot be read")
            }
        }
    }
}

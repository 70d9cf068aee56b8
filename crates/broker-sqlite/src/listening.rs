//! Listening: readers of the feed and of mailboxes, each a task that ends with its subscription.

pub(crate) mod broadcast;
pub(crate) mod mailbox;
pub(crate) mod watching;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bell::LOOK_ANYWAY;
use crate::error::{Result, SqliteError};
use crate::operations::feed::Unlisten;
use crate::reads::{self, FEED_PAGE, FeedEntry};
use crate::store::Store;

/// Messages that may wait for a subscriber; the reader waits while there are so many.
const WAITING: usize = 256;

/// After a failure.
const RETRY: Duration = Duration::from_millis(200);

/// Between two renewals of a listener; a third of its lease.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// A token that ends a subscription's task, and the guard that the subscriber holds.
fn stopper(store: &Store) -> (CancellationToken, DropGuard) {
    let stop = store.closed.child_token();
    (stop.clone(), stop.drop_guard())
}

/// Takes a listener off the list, if there is still a list.
async fn unlisten(store: &Store, listener: String) {
    if let Err(error) = store.write(Unlisten(listener)).await {
        tracing::debug!(%error, "a listener stays on the list until it expires");
    }
}

/// A place in the feed.
#[derive(Debug)]
struct Cursor {
    store: Arc<Store>,
    exchange: String,
    /// A JSON array; `None` for all keys.
    keys: Option<String>,
    after: i64,
}

impl Cursor {
    /// The entries since the last call, at most a page of them.
    async fn advance(&mut self) -> Result<Vec<FeedEntry>> {
        let readers = &self.store.readers;
        let end = reads::feed_end(readers).await?;
        if end <= self.after {
            return Ok(Vec::new());
        }
        let entries = reads::feed(
            readers,
            &self.exchange,
            self.keys.as_deref(),
            (self.after, end),
        )
        .await?;
        self.after = match entries.last() {
            Some((id, ..)) if entries.len() == FEED_PAGE => *id,
            _ => end,
        };
        Ok(entries)
    }
}

/// When something is to be renewed next.
#[derive(Debug)]
struct Renewal {
    every: Duration,
    next: Instant,
}

impl Renewal {
    fn new(every: Duration) -> Self {
        Self {
            every,
            next: Instant::now() + every,
        }
    }

    /// Whether it is time; if so, the next one is a period from now.
    fn is_due(&mut self) -> bool {
        let due = Instant::now() >= self.next;
        if due {
            self.next = Instant::now() + self.every;
        }
        due
    }
}

/// Reads something that grows, and passes it on.
trait Reader: Send {
    /// What is read, for the log.
    const WHAT: &'static str;

    /// Tells that there may be something.
    fn news(&mut self) -> &mut watch::Receiver<u64>;

    /// Passes on what is new; whether there was something.
    fn turn(&mut self) -> impl Future<Output = Result<bool>> + Send;
}

/// Reads until it is cancelled, or the broker has closed: its process may end before this task hears of it.
async fn run<R: Reader>(mut reader: R) {
    loop {
        // Heard before looking, so that what comes in between is not missed.
        reader.news().borrow_and_update();
        match reader.turn().await {
            Ok(true) => {}
            // Both ends of the wait lead to the same look.
            Ok(false) => drop(timeout(LOOK_ANYWAY, reader.news().changed()).await),
            Err(SqliteError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "{} cannot be read; trying again", R::WHAT);
                sleep(RETRY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Fails once because the file is locked, and then because the broker was closed.
    struct Closing {
        news: watch::Receiver<u64>,
        turns: Arc<AtomicUsize>,
    }

    impl Reader for Closing {
        const WHAT: &'static str = "what closes";

        fn news(&mut self) -> &mut watch::Receiver<u64> {
            &mut self.news
        }

        async fn turn(&mut self) -> Result<bool> {
            match self.turns.fetch_add(1, Ordering::SeqCst) {
                0 => Err(SqliteError::Invalid("not now".to_owned())),
                _ => Err(SqliteError::Closed),
            }
        }
    }

    #[tokio::test]
    async fn a_reader_tries_again_after_a_failure_and_ends_with_its_broker() {
        let (_sender, news) = watch::channel(0);
        let turns = Arc::default();
        let reader = Closing {
            news,
            turns: Arc::clone(&turns),
        };
        let ended = timeout(Duration::from_secs(30), run(reader)).await;
        assert!(ended.is_ok(), "it goes on reading a closed broker");
        assert_eq!(turns.load(Ordering::SeqCst), 2);
    }
}

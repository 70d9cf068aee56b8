//! Something that is raised once, and that others can wait for. Every run has two of them, so they are smaller and cheaper than
//! cancellation tokens: nothing hangs on them, and they need no memory of their own.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Not raised, until it is.
#[derive(Debug, Default)]
pub(crate) struct Flag {
    raised: AtomicBool,
    waiting: Notify,
}

impl Flag {
    /// Raises it, and wakes all who wait for that.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.waiting.notify_waiters();
    }

    /// Whether it was raised.
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Waits until it is raised.
    pub(crate) async fn raised(&self) {
        // Before the look, so that no raising is missed between.
        let woken = self.waiting.notified();
        if !self.is_raised() {
            woken.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_woken_and_who_comes_later_does_not_wait() {
        let flag = Arc::new(Flag::default());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let flag = Arc::clone(&flag);
                tokio::spawn(async move { flag.raised().await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
        assert!(!flag.is_raised() && flag.raised().now_or_never().is_none());
        flag.raise();
        for waiting in waiting {
            waiting.await.unwrap();
        }
        assert!(flag.is_raised() && flag.raised().now_or_never().is_some());
    }
}

//! A number of slots that can change while they are in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots to be taken one by one. Growing is at once; shrinking takes what is free now and the rest as it becomes free,
/// before anybody else who waits.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    size: AtomicUsize,
}

impl Slots {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(size)),
            size: size.into(),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// How many are taken, those included that are to go when they are free.
    pub(crate) fn taken(&self) -> usize {
        self.size().saturating_sub(self.free.available_permits())
    }

    /// Waits for a free slot.
    pub(crate) async fn take(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.free)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// A slot, if one is free.
    pub(crate) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// Changes the size. Must be called within the runtime, and by one caller at a time.
    pub(crate) fn resize(&self, size: usize) {
        let before = self.size.swap(size, Ordering::Relaxed);
        if size >= before {
            return self.free.add_permits(size - before);
        }
        let surplus = u32::try_from(before - size).unwrap_or(u32::MAX);
        let free = Arc::clone(&self.free);
        tokio::spawn(async move {
            let surplus = free.acquire_many_owned(surplus).await;
            surplus.expect("the semaphore is never closed").forget();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn growing_lets_more_in_at_once() {
        let slots = Slots::new(1);
        let _first = slots.take().await;
        assert!(slots.try_take().is_none());
        slots.resize(3);
        let _second = slots.try_take().expect("it has grown");
        assert_eq!((slots.size(), slots.taken()), (3, 2));
    }

    #[tokio::test]
    async fn shrinking_waits_for_those_in_use_and_goes_first() {
        let slots = Arc::new(Slots::new(2));
        let (first, second) = (slots.take().await, slots.take().await);
        slots.resize(1);
        tokio::task::yield_now().await;
        let waiting = {
            let slots = Arc::clone(&slots);
            tokio::spawn(async move { slots.take().await.num_permits() })
        };
        tokio::task::yield_now().await;
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the freed slot is gone");
        drop(second);
        assert_eq!(waiting.await.unwrap(), 1);
        assert_eq!(slots.size(), 1);
    }
}

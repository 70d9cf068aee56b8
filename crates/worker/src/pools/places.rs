//! Places for messages: how many the worker holds at most, and when it is worth asking for more.
//!
//! As many as the slots times the prefetch multiplier always, those that its [`Pace`] allows ahead of them, and one for each run that
//! is about to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::Pace;

/// One reservation takes half of the places: while the server prepares the next messages, the last ones run.
const HALVES: usize = 2;
/// And a third, where another is under way behind it.
const THIRDS: usize = 3;
/// So many places are never shared out: small reservations cost more than they overlap.
const UNSHARED: usize = 16;

/// The places of one worker.
#[derive(Debug)]
pub(crate) struct Places {
    pace: Pace,
    slots: AtomicUsize,
    /// Places that are there whatever the pace.
    size: AtomicUsize,
    taken: AtomicUsize,
    /// One reservation takes the places' share by this.
    shares: AtomicUsize,
    /// Runs that are expected to free their slot within the pace's budget.
    ending: AtomicUsize,
    freed: Notify,
}

impl Places {
    pub(crate) fn new(slots: usize, size: usize, pace: Pace) -> Arc<Self> {
        Arc::new(Self {
            pace,
            slots: slots.into(),
            size: size.into(),
            taken: 0.into(),
            shares: HALVES.into(),
            ending: 0.into(),
            freed: Notify::new(),
        })
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Places that are there whatever the pace.
    pub(crate) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// How many messages may wait for a slot however long that takes.
    pub(crate) fn waiting(&self) -> usize {
        self.size()
            .saturating_sub(self.slots.load(Ordering::Relaxed))
    }

    /// Changes the number of slots and of places. What is taken beyond it is not replaced.
    pub(crate) fn resize(&self, slots: usize, size: usize) {
        self.slots.store(slots, Ordering::Relaxed);
        self.size.store(size, Ordering::Relaxed);
        self.freed.notify_one();
    }

    /// Two reservations are under way at a time, where that is worth it.
    pub(crate) fn share_with_another(&self) {
        self.shares.store(THIRDS, Ordering::Relaxed);
    }

    /// Waits for a free place and takes it.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            if self.taken.load(Ordering::Relaxed) < self.size() {
                return self.occupy(1);
            }
            freed.await;
        }
    }

    /// Waits until it is worth asking for messages, and takes as many places as one reservation should have.
    pub(crate) async fn take_share(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            if let Some(share) = self.share() {
                return self.occupy(share);
            }
            freed.await;
            // What ends at the same time as the one that was waited for is had with it.
            tokio::task::yield_now().await;
        }
    }

    /// How many places one reservation should have now. At once while a slot is idle or about to be; ahead of the slots, when a share is free.
    fn share(&self) -> Option<usize> {
        let taken = self.taken.load(Ordering::Relaxed);
        let size = self.size() + self.ending.load(Ordering::Relaxed);
        let most = size + self.pace.ahead(self.slots.load(Ordering::Relaxed));
        let free = most.saturating_sub(taken);
        let shares = self.shares.load(Ordering::Relaxed);
        let worth_it = taken < size || (free > 0 && free >= most.div_ceil(shares));
        worth_it.then(|| free.min((most / shares).max(UNSHARED)))
    }

    fn occupy(self: &Arc<Self>, count: usize) -> Place {
        self.taken.fetch_add(count, Ordering::Relaxed);
        Place {
            places: Arc::clone(self),
            count,
        }
    }
}

/// The end of a run that has a place. Announced, it gives the next message of its slot a place too, until it is withdrawn or dropped.
#[derive(Debug)]
pub(crate) struct Ending {
    places: Arc<Places>,
    announced: AtomicBool,
}

impl Ending {
    pub(crate) fn announce(&self) {
        if !self.announced.swap(true, Ordering::Relaxed) {
            self.places.ending.fetch_add(1, Ordering::Relaxed);
            self.places.freed.notify_one();
        }
    }

    pub(crate) fn withdraw(&self) {
        if self.announced.swap(false, Ordering::Relaxed) {
            self.places.ending.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// Places that are taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    count: usize,
}

impl Place {
    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The end of the run that has this place.
    pub(crate) fn ending(&self) -> Ending {
        Ending {
            places: Arc::clone(&self.places),
            announced: AtomicBool::new(false),
        }
    }

    /// One of them, for itself; `None` when none is left.
    pub(crate) fn split(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self {
            places: Arc::clone(&self.places),
            count: 1,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        self.places.taken.fetch_sub(self.count, Ordering::Relaxed);
        if self.places.share().is_some() {
            self.places.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    fn places(slots: usize, size: usize) -> Arc<Places> {
        Places::new(slots, size, Pace::new(Duration::from_millis(1), 2))
    }

    #[tokio::test]
    async fn a_place_that_is_free_is_had_at_once_and_one_that_is_freed_wakes_whoever_waits() {
        let places = places(2, 2);
        let mut both = places.take_share().await;
        assert_eq!(both.count(), 2);
        let one = both.split().expect("there are two");
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take_share().await.count() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(one);
        assert_eq!(waiting.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn many_places_are_shared_out() {
        let places = places(100, 100);
        assert_eq!(places.take_share().await.count(), 50);
        places.share_with_another();
        assert_eq!(places.take_share().await.count(), 33);
        assert_eq!(places.waiting(), 0);
    }

    #[tokio::test]
    async fn short_runs_make_places_that_are_asked_for_by_thirds() {
        let places = places(2, 2);
        places.share_with_another();
        (0..100).for_each(|_| places.pace().ran(Duration::from_micros(10)));
        let mut first = places.take_share().await;
        let asked = first.count();
        assert!(asked > 8, "{asked}");
        let more = || places.take_share().now_or_never();
        let (second, third) = (more().expect("it is free"), more().expect("it is free"));
        assert!(more().is_none());
        first.split();
        assert!(
            places.take_share().now_or_never().is_none(),
            "one free place is not worth it"
        );
        drop((first, second, third));
        places.pace().slow_down();
        assert_eq!(places.take_share().await.count(), 2);
    }

    #[tokio::test]
    async fn a_run_that_is_about_to_end_has_a_place_for_the_next() {
        let places = places(1, 1);
        let running = places.take_share().await;
        assert!(places.take_share().now_or_never().is_none());
        let ending = running.ending();
        ending.announce();
        let next = places.take_share().now_or_never().expect("it has a place");
        assert_eq!(next.count(), 1);
        assert!(places.take_share().now_or_never().is_none());
        drop((ending, next));
        assert!(places.take_share().now_or_never().is_none());
        drop(running);
        assert_eq!(places.take_share().await.count(), 1);
    }

    #[tokio::test]
    async fn growing_is_at_once() {
        let places = places(1, 1);
        let _one = places.take().await;
        assert!(places.take().now_or_never().is_none());
        places.resize(3, 6);
        assert_eq!(
            (places.take_share().await.count(), places.waiting()),
            (5, 3)
        );
    }
}

//! The handle on the worker's pool: its size now, growing, shrinking, autoscaling, and its processes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tracing::info;

use super::{Pace, Places, Pool, Slots};
use crate::{WorkerError, WorkerSettings};

/// The least and the most slots of an autoscaled pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) max: usize,
    pub(crate) min: usize,
}

/// The pool of one worker. Its slots say how many tasks run at once; its places, how many messages are held.
#[derive(Debug)]
pub(crate) struct PoolHandle {
    kind: Pool,
    multiplier: usize,
    slots: Slots,
    places: Arc<Places>,
    /// The one slot of tasks that run one at a time.
    solo: Slots,
    sizes: watch::Sender<usize>,
    bounds: Mutex<Option<Bounds>>,
    processes: Mutex<BTreeSet<u32>>,
    restarts: AtomicU64,
}

impl PoolHandle {
    pub(crate) fn new(settings: &WorkerSettings) -> Self {
        let size = settings.initial_concurrency();
        let multiplier = settings.worker_prefetch_multiplier;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            kind: settings.worker_pool,
            multiplier,
            slots: Slots::new(size),
            places: Places::new(
                size,
                size.saturating_mul(multiplier),
                Pace::new(settings.reserve_ahead, cores),
            ),
            solo: Slots::new(1),
            sizes: watch::Sender::new(size),
            bounds: Mutex::new(settings.autoscale_bounds()),
            processes: Mutex::default(),
            restarts: AtomicU64::new(0),
        }
    }

    /// Where tasks run that do not say where.
    pub(crate) fn kind(&self) -> Pool {
        self.kind
    }

    /// How many tasks run at once at most.
    pub(crate) fn concurrency(&self) -> usize {
        self.slots.size()
    }

    /// How many messages are held at most, however long their tasks take.
    pub(crate) fn prefetch_count(&self) -> usize {
        self.places.size()
    }

    /// The processes that run tasks: the children, or else this one.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let children: Vec<u32> = lock(&self.processes).iter().copied().collect();
        if children.is_empty() {
            vec![std::process::id()]
        } else {
            children
        }
    }

    /// Lets `n` more tasks run at once; returns how many may run now.
    ///
    /// # Errors
    /// When that is more than a worker can have, or the pool is autoscaled.
    pub(crate) fn grow(&self, n: usize) -> Result<usize, WorkerError> {
        let bounds = lock(&self.bounds);
        self.refuse_fixed(bounds.is_some())?;
        let size = self.concurrency().saturating_add(n);
        refuse(size > WorkerSettings::MAX_CONCURRENCY, TOO_LARGE)?;
        Ok(self.resize(size))
    }

    /// Lets `n` fewer tasks run at once, as soon as that many have ended; returns how many may run then.
    ///
    /// # Errors
    /// When nothing would run any more, or the pool is autoscaled.
    pub(crate) fn shrink(&self, n: usize) -> Result<usize, WorkerError> {
        let bounds = lock(&self.bounds);
        self.refuse_fixed(bounds.is_some())?;
        let size = self.concurrency().saturating_sub(n);
        refuse(size == 0, TOO_SMALL)?;
        Ok(self.resize(size))
    }

    /// The bounds of an autoscaled pool; `None` when autoscaling is off.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        *lock(&self.bounds)
    }

    /// Changes the bounds of an autoscaled pool; `None` leaves one as it is. Returns both.
    ///
    /// # Errors
    /// When autoscaling is off or the bounds make no sense.
    pub(crate) fn autoscale(
        &self,
        max: Option<usize>,
        min: Option<usize>,
    ) -> Result<Bounds, WorkerError> {
        let mut bounds = lock(&self.bounds);
        let Some(now) = bounds.as_mut() else {
            return Err(WorkerError::Pool {
                why: "autoscale is not enabled",
            });
        };
        let max = max.unwrap_or(now.max);
        // Celery lets a pool shrink to no process at all; here one slot is left to take the next task.
        let min = min.unwrap_or(now.min).max(1);
        refuse(max == 0, TOO_SMALL)?;
        refuse(max > WorkerSettings::MAX_CONCURRENCY, TOO_LARGE)?;
        refuse(min > max, "its least size would be above its largest")?;
        *now = Bounds { max, min };
        self.resize(self.concurrency().clamp(min, max));
        Ok(Bounds { max, min })
    }

    /// Changes the size of an autoscaled pool within its bounds.
    pub(super) fn scale(&self, size: usize) {
        let bounds = lock(&self.bounds);
        if let Some(Bounds { max, min }) = *bounds {
            self.resize(size.clamp(min, max));
        }
    }

    fn refuse_fixed(&self, autoscaled: bool) -> Result<(), WorkerError> {
        refuse(autoscaled, "it is autoscaled: adjust its bounds")?;
        refuse(self.kind == Pool::Solo, "a solo pool has one slot")
    }

    /// The caller holds the lock of the bounds, so that two changes do not mix.
    fn resize(&self, size: usize) -> usize {
        let before = self.concurrency();
        if size != before {
            info!(from = before, to = size, "the pool changes its size");
            self.slots.resize(size);
            self.places
                .resize(size, size.saturating_mul(self.multiplier));
            self.sizes.send_replace(size);
        }
        size
    }

    /// How often the pool was restarted: a child process of an earlier time is not used again.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Acquire)
    }

    /// Has every child process replaced when it is idle.
    pub(crate) fn restart(&self) {
        self.restarts.fetch_add(1, Ordering::AcqRel);
        info!("the pool is restarted");
        // Those who look after the children look at them again.
        self.sizes.send_modify(|_| {});
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    pub(crate) fn solo(&self) -> &Slots {
        &self.solo
    }

    /// Tells the size whenever it changes.
    pub(crate) fn sizes(&self) -> watch::Receiver<usize> {
        self.sizes.subscribe()
    }

    pub(crate) fn add_process(&self, pid: u32) {
        lock(&self.processes).insert(pid);
    }

    pub(crate) fn remove_process(&self, pid: u32) {
        lock(&self.processes).remove(&pid);
    }
}

const TOO_LARGE: &str = "it would have more than 65535 slots";
const TOO_SMALL: &str = "no slot would be left";

fn refuse(condition: bool, why: &'static str) -> Result<(), WorkerError> {
    if condition {
        Err(WorkerError::Pool { why })
    } else {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Autoscale;

    fn pool(autoscale: Option<Autoscale>) -> PoolHandle {
        PoolHandle::new(&WorkerSettings {
            worker_concurrency: 2,
            worker_prefetch_multiplier: 3,
            worker_autoscale: autoscale,
            ..WorkerSettings::default()
        })
    }

    #[tokio::test]
    async fn a_pool_grows_and_shrinks_but_never_to_nothing() {
        let pool = pool(None);
        assert_eq!(pool.grow(3).unwrap(), 5);
        assert_eq!(pool.prefetch_count(), 15);
        assert_eq!(pool.shrink(4).unwrap(), 1);
        assert!(pool.shrink(1).is_err());
        assert!(pool.grow(65_535).is_err());
        assert_eq!((pool.concurrency(), pool.prefetch_count()), (1, 3));
        assert!(pool.autoscale(Some(3), None).is_err());
    }

    #[tokio::test]
    async fn an_autoscaled_pool_obeys_its_bounds_only() {
        let pool = pool(Some(Autoscale { max: 4, min: 1 }));
        assert_eq!(pool.concurrency(), 1);
        assert!(pool.grow(1).is_err());
        pool.scale(9);
        assert_eq!(pool.concurrency(), 4);
        let bounds = pool.autoscale(Some(3), Some(0)).unwrap();
        assert_eq!(bounds, Bounds { max: 3, min: 1 });
        assert_eq!(pool.concurrency(), 3);
        assert!(pool.autoscale(None, Some(4)).is_err());
    }
}

//! What this worker holds and runs now, and how much it has run: the numbers behind `inspect`, events and shutdown.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use broker::Tag;
use foldhash::fast::RandomState;
use protocol::{Message, TaskRequest};
use tokio::sync::Notify;

use crate::Pool;
use crate::flag::Flag;

/// A message that this worker holds, from its receipt to its settlement.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) tag: Tag,
    pub(crate) queue: Arc<str>,
    pub(crate) redelivered: bool,
    /// How many processes have died with it.
    pub(crate) deaths: u32,
    pub(crate) request: Box<TaskRequest>,
    /// Where it runs.
    pub(crate) pool: Pool,
    /// The message itself, for a run in another process.
    pub(crate) message: Option<Box<Message>>,
    /// The length of the message's body.
    pub(crate) size: usize,
    /// Before the broker was asked for it. Runs on while the process is frozen.
    pub(crate) asked: Instant,
    pub(crate) received: Instant,
    /// Seconds since the epoch; set when the run starts.
    pub(crate) time_start: OnceLock<f64>,
    pub(crate) acknowledged: AtomicBool,
    /// Raised when the run must end now.
    pub(crate) stop: Flag,
    /// The process that the task runs in, if it is another one.
    pub(crate) process: OnceLock<u32>,
    /// The system's number of the thread that the task runs on, if it has one of its own.
    pub(crate) thread: OnceLock<i32>,
    /// Milliseconds from the receipt to the beginning of the work between two awaits that is under way, and one; 0 when there is none.
    computing: AtomicU64,
    /// The last state that the task has told, and when.
    progress: Mutex<Option<(String, Instant)>>,
    /// Set before `stop` when the run ends because the connection to the broker was lost.
    pub(crate) disconnected: AtomicBool,
    /// Set before `stop` when the run is to be revoked rather than given back.
    pub(crate) terminated: OnceLock<String>,
}

impl Held {
    pub(crate) fn new(
        tag: Tag,
        queue: Arc<str>,
        redelivered: bool,
        request: Box<TaskRequest>,
        size: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            tag,
            queue,
            redelivered,
            deaths: 0,
            request,
            pool: Pool::default(),
            message: None,
            size,
            asked: Instant::now(),
            received: Instant::now(),
            time_start: OnceLock::new(),
            acknowledged: AtomicBool::new(false),
            stop: Flag::default(),
            process: OnceLock::new(),
            thread: OnceLock::new(),
            disconnected: AtomicBool::new(false),
            computing: AtomicU64::new(0),
            progress: Mutex::default(),
            terminated: OnceLock::new(),
        })
    }

    /// An async task begins to work, or awaits again.
    pub(crate) fn set_computing(&self, computing: bool) {
        let since = if computing { self.age() + 1 } else { 0 };
        self.computing.store(since, Ordering::Relaxed);
    }

    /// How long an async task has worked since it awaited last; `None` while it awaits.
    pub(crate) fn computes_for(&self) -> Option<Duration> {
        let since = self.computing.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(self.age().saturating_sub(since)))
    }

    /// Milliseconds since the receipt.
    fn age(&self) -> u64 {
        u64::try_from(self.received.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// Changed by whoever has just made it, before others know of it.
    pub(crate) fn with(mut self: Arc<Self>, change: impl FnOnce(&mut Self)) -> Arc<Self> {
        let held = Arc::get_mut(&mut self);
        change(held.expect("nobody else knows of it yet"));
        self
    }

    /// The process that the task runs in.
    pub(crate) fn pid(&self) -> u32 {
        self.process.get().copied().unwrap_or_else(std::process::id)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.time_start.get().is_some()
    }

    /// The task has told this of itself.
    pub(crate) fn tell(&self, progress: String) {
        *lock(&self.progress) = Some((progress, Instant::now()));
    }

    /// What the task last told of itself, and how long ago.
    pub(crate) fn progress(&self) -> Option<(String, Duration)> {
        let progress = lock(&self.progress).clone();
        progress.map(|(text, at)| (text, at.elapsed()))
    }
}

/// The size of messages that have come, counted as held until this is dropped.
#[derive(Debug)]
pub(crate) struct Arriving {
    activity: Arc<Activity>,
    size: usize,
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.activity.bytes.fetch_sub(self.size, Ordering::Relaxed);
        self.activity.released.notify_waiters();
    }
}

/// Everything held, and the totals.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    held: Mutex<HashMap<Tag, Arc<Held>, RandomState>>,
    totals: Mutex<BTreeMap<Arc<str>, u64>>,
    active: AtomicUsize,
    /// The size of everything held.
    bytes: AtomicUsize,
    released: Notify,
    processed: AtomicU64,
    unknown: AtomicU64,
}

impl Activity {
    /// Messages of this size have come and are about to be looked at.
    pub(crate) fn arriving(self: &Arc<Self>, size: usize) -> Arriving {
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Arriving {
            activity: Arc::clone(self),
            size,
        }
    }

    /// The message was received and is to be run.
    pub(crate) fn reserve(&self, held: &Arc<Held>) {
        lock(&self.held).insert(held.tag.clone(), Arc::clone(held));
        self.bytes.fetch_add(held.size, Ordering::Relaxed);
    }

    /// Its run starts at this time.
    pub(crate) fn start(&self, held: &Held, now: f64) {
        if held.time_start.set(now).is_err() {
            return;
        }
        self.active.fetch_add(1, Ordering::Relaxed);
        let (name, mut totals) = (held.request.display_name(), lock(&self.totals));
        match totals.get_mut(name) {
            Some(total) => *total += 1,
            None => drop(totals.insert(name.into(), 1)),
        }
    }

    /// The message is no longer this worker's; returns how many runs have ended so far.
    pub(crate) fn release(&self, held: &Held) -> u64 {
        if lock(&self.held).remove(&held.tag).is_some() {
            self.bytes.fetch_sub(held.size, Ordering::Relaxed);
            self.released.notify_waiters();
        }
        if !held.is_active() {
            return self.processed();
        }
        self.active.fetch_sub(1, Ordering::Relaxed);
        self.processed.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A message of an unknown task was parked.
    pub(crate) fn count_unknown(&self) -> u64 {
        self.unknown.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// How many messages are held.
    pub(crate) fn count(&self) -> usize {
        lock(&self.held).len()
    }

    /// How large the messages are that are held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until less than this is held.
    pub(crate) async fn room(&self, limit: usize) {
        loop {
            // Before the look, so that no release is missed between.
            let released = self.released.notified();
            if self.bytes() < limit {
                return;
            }
            released.await;
        }
    }

    /// Started runs by task name, or by what the callers had them shown as.
    pub(crate) fn totals(&self) -> BTreeMap<Arc<str>, u64> {
        lock(&self.totals).clone()
    }

    /// Everything held now.
    pub(crate) fn held(&self) -> Vec<Arc<Held>> {
        lock(&self.held).values().cloned().collect()
    }

    /// Ends every run.
    pub(crate) fn stop_all(&self) {
        for held in lock(&self.held).values() {
            held.stop.raise();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

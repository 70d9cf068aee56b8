//! The child processes of one worker: started when they are needed, used again, replaced when they have done enough.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;
use tracing::{debug, info};

use super::process::Process;
use crate::engine::Engine;

/// The children. At most as many run as the pool has slots, since each run holds one.
#[derive(Debug)]
pub(crate) struct Children {
    engine: Arc<Engine>,
    idle: Mutex<Vec<Process>>,
    jobs: AtomicU64,
}

impl Children {
    /// No children yet. Must be called within the runtime.
    pub(crate) fn new(engine: Arc<Engine>) -> Arc<Self> {
        let sizes = engine.pool.sizes();
        let children = Arc::new(Self {
            engine,
            idle: Mutex::default(),
            jobs: AtomicU64::new(0),
        });
        tokio::spawn(trim(Arc::downgrade(&children), sizes));
        children
    }

    /// The number of the next run.
    pub(super) fn next_job(&self) -> u64 {
        self.jobs.fetch_add(1, Ordering::Relaxed)
    }

    /// A child that is ready: the one that worked last, or a new one.
    ///
    /// # Errors
    /// When none can be started.
    pub(super) async fn take(&self) -> io::Result<Process> {
        while let Some(mut process) = self.pop() {
            if !process.is_alive() {
                debug!(pid = process.pid(), "an idle child process has died");
            } else if let Some(process) = self.still_wanted(process) {
                return Ok(process);
            }
        }
        let process = Process::start(&self.engine).await?;
        debug!(pid = process.pid(), "a child process has started");
        Ok(process)
    }

    /// Takes back a child after a run, or replaces it.
    pub(super) fn give_back(&self, mut process: Process) {
        process.runs += 1;
        if let Some(process) = self.still_wanted(process) {
            lock(&self.idle).push(process);
            self.trim(self.engine.pool.concurrency());
        }
    }

    /// The child if it is to be used again; one that is not is ended.
    fn still_wanted(&self, process: Process) -> Option<Process> {
        let Some(why) = self.enough(&process) else {
            return Some(process);
        };
        info!(pid = process.pid(), why, "a child process is replaced");
        tokio::spawn(process.retire());
        None
    }

    /// Why the child is not to be used again.
    fn enough(&self, process: &Process) -> Option<String> {
        let settings = &self.engine.settings;
        if let Some(max) = settings.worker_max_tasks_per_child
            && process.runs >= max
        {
            return Some(format!("it has run {} tasks", process.runs));
        }
        if process.generation != self.engine.pool.restarts() {
            return Some("the pool was restarted".to_owned());
        }
        let caps = [
            settings.worker_max_memory_per_child,
            settings.max_memory_per_task,
        ];
        let max = caps.into_iter().flatten().min()?;
        let memory = process.memory().filter(|memory| *memory > max)?;
        Some(format!(
            "it has {memory} KiB of memory, more than the {max} allowed"
        ))
    }

    /// Ends the idle children of before a restart, and those that are too many.
    fn trim(&self, most: usize) {
        let now = self.engine.pool.restarts();
        let outdated = |process: &mut Process| process.generation != now;
        for process in lock(&self.idle).extract_if(.., outdated) {
            tokio::spawn(process.retire());
        }
        loop {
            let surplus = {
                let mut idle = lock(&self.idle);
                if idle.len() <= most {
                    return;
                }
                idle.remove(0)
            };
            tokio::spawn(surplus.retire());
        }
    }

    fn pop(&self) -> Option<Process> {
        lock(&self.idle).pop()
    }

    /// Ends the idle children and waits for it.
    pub(crate) async fn close(&self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        futures_util::future::join_all(idle.into_iter().map(Process::retire)).await;
    }
}

/// Ends idle children when the pool shrinks or is restarted.
async fn trim(children: Weak<Children>, mut sizes: watch::Receiver<usize>) {
    while sizes.changed().await.is_ok() {
        let Some(children) = children.upgrade() else {
            return;
        };
        children.trim(*sizes.borrow_and_update());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

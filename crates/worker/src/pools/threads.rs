//! Threads for tasks that block. At most as many as the worker has slots; a thread waits for its next job until the pool is dropped.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// A pool that starts a thread only when no other is idle.
#[derive(Debug)]
pub(crate) struct Threads {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<mpsc::Receiver<Job>>,
    idle: std::sync::atomic::AtomicUsize,
}

impl Threads {
    pub(crate) fn new() -> Self {
        let (jobs, waiting) = mpsc::channel();
        Self {
            jobs,
            shared: Arc::new(Shared {
                waiting: Mutex::new(waiting),
                idle: 0.into(),
            }),
        }
    }

    /// Runs the job on a thread of its own. The number of jobs at once is bounded by the slots that callers hold.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        if !self.shared.claim_idle() {
            let shared = Arc::clone(&self.shared);
            thread::Builder::new()
                .name("task".to_owned())
                .spawn(move || shared.work())?;
        }
        self.jobs
            .send(Box::new(job))
            .expect("the receiver lives as long as the pool");
        Ok(())
    }
}

impl Shared {
    fn claim_idle(&self) -> bool {
        use std::sync::atomic::Ordering::{AcqRel, Acquire};
        self.idle
            .fetch_update(AcqRel, Acquire, |idle| idle.checked_sub(1))
            .is_ok()
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // A panic has been caught within the job; this one only keeps the thread alive.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
            self.idle.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        }
    }

    fn next(&self) -> Option<Job> {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_side_by_side_and_threads_are_used_again() {
        let pool = Threads::new();
        let barrier = Arc::new(std::sync::Barrier::new(4));
        let (done, finished) = mpsc::channel();
        for _ in 0..4 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            pool.run(move || {
                barrier.wait();
                done.send(thread::current().id()).expect("the test waits");
            })
            .expect("a thread starts");
        }
        let ids: std::collections::HashSet<_> = finished.iter().take(4).collect();
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn a_panicking_job_does_not_take_its_thread_along() {
        let pool = Threads::new();
        pool.run(|| panic!("on purpose")).expect("a thread starts");
        let (done, finished) = mpsc::channel();
        pool.run(move || done.send(()).expect("the test waits"))
            .expect("a thread starts");
        finished.recv().expect("the second job runs");
    }
}

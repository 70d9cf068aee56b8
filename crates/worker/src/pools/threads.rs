//! Threads for tasks that block. At most as many as the worker has slots; a thread waits for its next job until the pool is dropped.
//!
//! Each waits by itself, and the one that ended its job last gets the next one: its core is the one that has become free.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::{io, thread};

use tokio::sync::oneshot;

/// A pool that starts a thread only when no other is idle.
#[derive(Debug, Default)]
pub(crate) struct Threads(Arc<Idle>);

/// Threads that have nothing to do, that which has just ended its job last.
#[derive(Debug, Default)]
struct Idle(Mutex<Vec<Thread>>);

/// A thread that waits for its next turn. Nothing else can give it one, so it ends when this goes.
#[derive(Debug)]
struct Thread(mpsc::Sender<Turn>);

/// A job with the thread that does it, and is idle afterwards.
struct Turn {
    job: Box<dyn FnOnce(Thread) + Send>,
    thread: Thread,
}

impl Threads {
    /// Does the job on a thread of its own; the number of jobs at once is bounded by the slots that callers hold. By the time its
    /// end is told its thread is idle. A job that panics has none.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<oneshot::Receiver<T>> {
        let (done, told) = oneshot::channel();
        let idle = Arc::downgrade(&self.0);
        let job = move |thread| {
            let end = catch_unwind(AssertUnwindSafe(job));
            if let Some(idle) = idle.upgrade() {
                idle.lock().push(thread);
            }
            // Nobody waits for a job that was given up.
            let _ = end.map(|end| done.send(end));
        };
        let thread = self.0.lock().pop();
        thread.map_or_else(Thread::start, Ok)?.turn(Box::new(job));
        Ok(told)
    }
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Thread {
    fn start() -> io::Result<Self> {
        let (turns, next) = mpsc::channel::<Turn>();
        thread::Builder::new()
            .name("task".to_owned())
            .spawn(move || next.into_iter().for_each(|turn| (turn.job)(turn.thread)))?;
        Ok(Self(turns))
    }

    fn turn(self, job: Box<dyn FnOnce(Self) + Send>) {
        let turns = self.0.clone();
        let turn = Turn { job, thread: self };
        turns
            .send(turn)
            .expect("a thread lives as long as somebody can give it a turn");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread::ThreadId;

    use super::*;

    fn current() -> ThreadId {
        thread::current().id()
    }

    #[tokio::test]
    async fn jobs_run_side_by_side() {
        let pool = Threads::default();
        let barrier = Arc::new(Barrier::new(4));
        let meet = |_| {
            let barrier = Arc::clone(&barrier);
            let job = move || {
                barrier.wait();
                current()
            };
            pool.run(job).expect("a thread starts")
        };
        let ends: Vec<_> = (0..4).map(meet).collect();
        let mut ids = HashSet::new();
        for end in ends {
            ids.insert(end.await.expect("the job ends"));
        }
        assert_eq!(ids.len(), 4);
    }

    #[tokio::test]
    async fn the_thread_that_ended_last_is_used_again() {
        let pool = Threads::default();
        let (go, gone) = mpsc::channel();
        let waits = pool.run(move || {
            gone.recv().expect("the test sends");
            current()
        });
        let second = pool.run(current).expect("a thread starts").await;
        go.send(()).expect("the job waits");
        let first = waits.expect("a thread starts").await;
        assert_ne!(first, second);
        for _ in 0..10 {
            let again = pool.run(current).expect("a thread is idle").await;
            assert_eq!(again, first);
        }
    }

    #[tokio::test]
    async fn a_panicking_job_has_no_end_and_does_not_take_its_thread_along() {
        let pool = Threads::default();
        let panicked = pool.run(|| panic!("on purpose")).expect("a thread starts");
        panicked.await.unwrap_err();
        let next = pool.run(|| 7).expect("a thread starts");
        assert_eq!(next.await, Ok(7));
    }
}

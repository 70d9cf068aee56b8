//! Async tasks that keep a thread of the runtime to themselves: noticed while they do it, named in the log, and from then on run on
//! threads of their own, so that they cannot keep the worker from renewing its lease. One of them that computes for a second is
//! noticed by itself; many that compute for less, one after the other, by the runtime's timers, which nobody comes to meanwhile.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::time::sleep;
use tracing::warn;

use super::Pool;
use crate::activity::{Activity, Held};

/// How long a task may compute between two awaits.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same while the runtime's timers stand still.
const SHORT_PATIENCE: Duration = Duration::from_millis(50);
/// How often is looked, and how long the timers stand still before that is noticed.
const LOOK: Duration = Duration::from_millis(500);

/// The names of the tasks that have been noticed.
#[derive(Debug, Default)]
pub(crate) struct Hogs(RwLock<HashSet<Arc<str>>>);

impl Hogs {
    /// Where a task of this name runs that is to run in this pool.
    pub(crate) fn pool_of(&self, name: &str, pool: Pool) -> Pool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if pool == Pool::Async && known.contains(name) {
            Pool::Blocking
        } else {
            pool
        }
    }

    /// Looks, for as long as the worker lives; on a thread, for the runtime may have none left.
    pub(crate) fn watch(self: &Arc<Self>, activity: &Arc<Activity>) -> std::io::Result<()> {
        let (hogs, activity) = (Arc::clone(self), Arc::downgrade(activity));
        let timers = Timers::of(Handle::current());
        let watch = thread::Builder::new().name("hogs".to_owned());
        watch.spawn(move || hogs.look_on(&activity, &timers))?;
        Ok(())
    }

    fn look_on(&self, activity: &Weak<Activity>, timers: &Timers) {
        while let Some(activity) = activity.upgrade() {
            if activity.active() > 0 {
                let patience = if timers.turn() {
                    PATIENCE
                } else {
                    SHORT_PATIENCE
                };
                let held = activity.held();
                held.iter().for_each(|held| self.look(held, patience));
            }
            drop(activity);
            thread::sleep(LOOK);
        }
    }

    fn look(&self, held: &Held, patience: Duration) {
        let computes = held.computes_for().filter(|time| *time > patience);
        let request = &held.request;
        if let Some(time) = computes
            && self.note(&request.task)
        {
            warn!(
                task_id = request.id,
                task_name = request.task,
                seconds = time.as_secs_f64(),
                "an async task computes or blocks without awaiting, and keeps others from running; from now on it runs on a thread"
            );
        }
    }

    /// Whether it is new.
    fn note(&self, name: &str) -> bool {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.into())
    }
}

/// The timers of the runtime, which stand still while each of its threads goes from one task that computes to the next.
#[derive(Debug)]
struct Timers {
    runtime: Handle,
    /// Whether none is overdue.
    rung: Arc<AtomicBool>,
}

impl Timers {
    fn of(runtime: Handle) -> Self {
        let rung = Arc::new(AtomicBool::new(true));
        Self { runtime, rung }
    }

    /// Whether the timer that was set at the last look has rung; sets the next one if so.
    fn turn(&self) -> bool {
        let turns = self.rung.swap(false, Ordering::Relaxed);
        if turns {
            let rung = Arc::clone(&self.rung);
            self.runtime.spawn(async move {
                sleep(Duration::from_millis(1)).await;
                rung.store(true, Ordering::Relaxed);
            });
        }
        turns
    }
}

/// The task, telling when it is at work.
pub(crate) fn observed<T: 'static>(
    mut task: impl Future<Output = T> + Send + Unpin + 'static,
    held: Arc<Held>,
) -> BoxFuture<'static, T> {
    poll_fn(move |cx| {
        held.set_computing(true);
        let polled = task.poll_unpin(cx);
        held.set_computing(false);
        polled
    })
    .boxed()
}

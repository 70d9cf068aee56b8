//! Async tasks that keep a thread of the runtime to themselves: noticed while they do it, named in the log, and from then on run on
//! threads of their own, so that they cannot keep the worker from renewing its lease.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::warn;

use super::Pool;
use crate::activity::{Activity, Held};

/// How long a task may compute between two awaits.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often is looked.
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
        let watch = thread::Builder::new().name("hogs".to_owned());
        watch.spawn(move || hogs.look_on(&activity))?;
        Ok(())
    }

    fn look_on(&self, activity: &Weak<Activity>) {
        while let Some(activity) = activity.upgrade() {
            if activity.active() > 0 {
                activity.held().iter().for_each(|held| self.look(held));
            }
            drop(activity);
            thread::sleep(LOOK);
        }
    }

    fn look(&self, held: &Held) {
        let computes = held.computes_for().filter(|time| *time > PATIENCE);
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

/// The task, telling when it is at work.
pub(crate) fn observed<T: 'static>(
    mut task: BoxFuture<'static, T>,
    held: Arc<Held>,
) -> BoxFuture<'static, T> {
    poll_fn(move |cx| {
        held.set_computing(true);
        let polled = task.as_mut().poll(cx);
        held.set_computing(false);
        polled
    })
    .boxed()
}

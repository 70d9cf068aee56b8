//! What holds for one run: the message's options over the task's, the task's over the worker's.

use std::time::Duration;

use protocol::TaskRequest;

use crate::engine::Engine;
use crate::registry::RegisteredTask;
use crate::{Pool, WorkerSettings};

/// The effective options of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Policy {
    pub(crate) pool: Pool,
    /// Acknowledge before the run.
    pub(crate) acks_early: bool,
    /// Back to the queue when the child process dies.
    pub(crate) requeues_lost: bool,
    /// Retry when the child process dies.
    pub(crate) retries_lost: bool,
    /// Do not run again what was redelivered after it had succeeded.
    pub(crate) deduplicates: bool,
    pub(crate) acks_on_failure: bool,
    pub(crate) acks_on_timeout: bool,
    pub(crate) stores_result: bool,
    pub(crate) stores_errors: bool,
    pub(crate) tracks_started: bool,
    pub(crate) time_limit: Option<Limit>,
    pub(crate) soft_time_limit: Option<Limit>,
}

/// A time limit as given, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit(pub(crate) f64);

impl Limit {
    /// A positive number of seconds; zero and nonsense mean no limit.
    fn new(seconds: f64) -> Option<Self> {
        let valid = seconds > 0.0 && Duration::try_from_secs_f64(seconds).is_ok();
        valid.then_some(Self(seconds))
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

impl Policy {
    pub(crate) fn of(engine: &Engine, task: &RegisteredTask, request: &TaskRequest) -> Self {
        let settings = &engine.settings;
        let options = &task.options;
        let times = engine.limiter.time_limits(&task.name, options);
        let ignored = request
            .ignore_result
            .or(options.ignore_result)
            .unwrap_or(settings.task_ignore_result);
        let errors = options
            .store_errors_even_if_ignored
            .unwrap_or(settings.task_store_errors_even_if_ignored);
        let limit = |message: Option<f64>, task: Option<f64>, worker: Option<f64>| {
            message.or(task).or(worker).and_then(Limit::new)
        };
        let late = options.acks_late.unwrap_or(settings.task_acks_late);
        Self {
            pool: Self::pool_of(engine, task),
            acks_early: !late,
            requeues_lost: late
                && options
                    .reject_on_worker_lost
                    .unwrap_or(settings.task_reject_on_worker_lost),
            retries_lost: options
                .retry_on_worker_lost
                .unwrap_or(settings.task_retry_on_worker_lost),
            deduplicates: late
                && engine.stores_results
                && settings.worker_deduplicate_successful_tasks,
            acks_on_failure: options
                .acks_on_failure
                .unwrap_or(settings.task_acks_on_failure),
            acks_on_timeout: options
                .acks_on_timeout
                .unwrap_or(settings.task_acks_on_timeout),
            stores_result: engine.stores_results && !ignored,
            stores_errors: engine.stores_results && (!ignored || errors),
            tracks_started: engine.stores_results
                && !ignored
                && options.track_started.unwrap_or(settings.task_track_started),
            time_limit: limit(request.timelimit.hard, times.hard, settings.task_time_limit),
            soft_time_limit: limit(
                request.timelimit.soft,
                times.soft,
                settings.task_soft_time_limit,
            ),
        }
    }

    /// Where the task runs, as long as nothing has died of it.
    pub(crate) fn pool_of(engine: &Engine, task: &RegisteredTask) -> Pool {
        task.options.pool.unwrap_or(engine.pool.kind())
    }

    /// As it is for a message with which so many processes have died. The last try that it has runs in a child process, where one
    /// can be had: if it is this task that kills, it takes nobody else with it, and if it is not, it is not blamed.
    pub(crate) fn after(self, deaths: u32, settings: &WorkerSettings) -> Self {
        let last = deaths > 0 && deaths.saturating_add(1) >= settings.max_worker_deaths;
        if last && settings.child.is_some() {
            let pool = Pool::Prefork;
            return Self { pool, ..self };
        }
        self
    }
}

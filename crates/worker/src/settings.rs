//! The worker's settings, with Celery's names and, but for `task_acks_late`, Celery's defaults.

use std::path::PathBuf;
use std::time::Duration;

use broker::QueueOrder;
use protocol::{Accept, Limits, Map};

use crate::pools::Bounds;
use crate::{ChildCommand, Pool, Registry, WorkerError};

/// The bounds of an autoscaled pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autoscale {
    /// The most slots.
    pub max: usize,
    /// The least slots; zero means one.
    pub min: usize,
}

/// How a worker runs. `task_acks_late` is the one deliberate difference from Celery: true here, false there.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// The node's name, `celery@host`.
    pub hostname: String,
    /// The queues to consume, in order.
    pub queues: Vec<String>,
    /// How the queues share the worker; ours.
    pub queue_order: QueueOrder,
    /// `worker_concurrency`: how many tasks run at once.
    pub worker_concurrency: usize,
    /// `worker_pool`, `-P`: where tasks run that do not say where.
    pub worker_pool: Pool,
    /// `--autoscale`: the bounds between which the number of slots follows the work; `worker_concurrency` then says nothing.
    pub worker_autoscale: Option<Autoscale>,
    /// `AUTOSCALE_KEEPALIVE`: how long an autoscaled pool keeps idle slots.
    pub autoscale_keepalive: Duration,
    /// How a child process is started; without it no task can run in one.
    pub child: Option<ChildCommand>,
    /// A message is parked when so many processes have died with it; ours.
    pub max_worker_deaths: u32,
    /// `worker_max_tasks_per_child`: a child process is replaced after this many runs.
    pub worker_max_tasks_per_child: Option<u64>,
    /// `worker_max_memory_per_child`: a child process that has more KiB of resident memory after a run is replaced.
    pub worker_max_memory_per_child: Option<u64>,
    /// A child process whose task has more KiB of resident memory is killed, as by the system; ours. What its own children have is not counted.
    pub max_memory_per_task: Option<u64>,
    /// `worker_pool_restarts`: whether remote control may have all child processes replaced.
    pub worker_pool_restarts: bool,
    /// `worker_proc_alive_timeout`: how long a new child process may take to be ready.
    pub worker_proc_alive_timeout: Duration,
    /// `worker_prefetch_multiplier`: messages held per slot. 1, ours, holds nothing that could run elsewhere now (Celery: 4).
    pub worker_prefetch_multiplier: usize,
    /// How much work may be held ahead of that, by how long tasks have taken here: what the slots will have begun within this time;
    /// ours. Zero holds nothing ahead.
    pub reserve_ahead: Duration,
    /// How long the broker believes that this worker lives after its last sign of life; ours.
    pub lease: Duration,
    /// `visibility_timeout` of the transport options: when what Python workers hold counts as abandoned.
    pub visibility_timeout: Duration,
    /// `task_acks_late`.
    pub task_acks_late: bool,
    /// `task_acks_on_failure` (or `task_acks_on_failure_or_timeout`).
    pub task_acks_on_failure: bool,
    /// `task_acks_on_timeout` (or `task_acks_on_failure_or_timeout`).
    pub task_acks_on_timeout: bool,
    /// `task_reject_on_worker_lost`: with late acknowledgement, whether a message whose child process died runs again. True here,
    /// false in Celery.
    pub task_reject_on_worker_lost: bool,
    /// `task_retry_on_worker_lost`: whether a task whose child process died is retried.
    pub task_retry_on_worker_lost: bool,
    /// `worker_deduplicate_successful_tasks`: with late acknowledgement, whether a redelivered task that has succeeded is not run again.
    pub worker_deduplicate_successful_tasks: bool,
    /// `task_time_limit` in seconds.
    pub task_time_limit: Option<f64>,
    /// `task_soft_time_limit` in seconds.
    pub task_soft_time_limit: Option<f64>,
    /// `task_ignore_result`.
    pub task_ignore_result: bool,
    /// `task_store_errors_even_if_ignored`.
    pub task_store_errors_even_if_ignored: bool,
    /// `task_track_started`.
    pub task_track_started: bool,
    /// `task_inherit_parent_priority`.
    pub task_inherit_parent_priority: bool,
    /// `result_extended`.
    pub result_extended: bool,
    /// `accept_content`.
    pub accept_content: Accept,
    /// Bounds for decoding messages.
    pub limits: Limits,
    /// `worker_send_task_events`, `-E`.
    pub worker_send_task_events: bool,
    /// `worker_enable_remote_control`.
    pub worker_enable_remote_control: bool,
    /// Unless `--without-gossip`: listen to the other workers, for their clocks and for elections.
    pub gossip: bool,
    /// Unless `--without-mingle`: ask the other workers at the start what is revoked.
    pub mingle: bool,
    /// `task_default_rate_limit`.
    pub task_default_rate_limit: Option<String>,
    /// `worker_disable_rate_limits`.
    pub worker_disable_rate_limits: bool,
    /// `worker_state_db`, `--statedb`: the file that keeps what is revoked when the worker ends.
    pub worker_state_db: Option<PathBuf>,
    /// `CELERY_WORKER_REVOKES_MAX`: how many revoked ids are kept.
    pub revokes_max: usize,
    /// `CELERY_WORKER_REVOKE_EXPIRES`: how long a revoked id is kept when there are too many.
    pub revoke_expires: Duration,
    /// Seconds between heartbeats; `None` sends none.
    pub heartbeat_interval: Option<Duration>,
    /// `broker_connection_max_retries`: how long the worker waits for a broker that went away; `None` waits for ever.
    pub connection_patience: Option<Duration>,
    /// `worker_cancel_long_running_tasks_on_connection_loss`: what is not acknowledged yet is ended when the connection is lost.
    pub worker_cancel_long_running_tasks_on_connection_loss: bool,
    /// How long a worker may take nothing beside ready messages and free slots before it counts as stalled; ours.
    pub stall: Duration,
    /// Nothing more is taken while the messages held are this large together, in bytes; ours.
    pub reserve_bytes: usize,
    /// Whether single tasks are counted for [`crate::Health::metrics`]; ours.
    pub task_metrics: bool,
    /// `worker_soft_shutdown_timeout`: how long a soft shutdown waits for what runs before it ends cold; zero does not wait.
    pub worker_soft_shutdown_timeout: Duration,
    /// `worker_enable_soft_shutdown_on_idle`: a soft shutdown takes its time also when nothing runs.
    pub worker_enable_soft_shutdown_on_idle: bool,
    /// Stop warm after this many tasks.
    pub max_tasks: Option<u64>,
    /// What `inspect conf` shows; secrets masked by whoever fills it.
    pub conf: Map,
    /// What it shows besides when it is asked for the defaults too.
    pub conf_defaults: Map,
    /// What `inspect stats` shows as `broker`; secrets masked by whoever fills it.
    pub broker_info: Map,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            hostname: "celery@localhost".to_owned(),
            queues: vec!["celery".to_owned()],
            queue_order: QueueOrder::default(),
            worker_concurrency: std::thread::available_parallelism().map_or(1, usize::from),
            worker_pool: Pool::default(),
            worker_autoscale: None,
            autoscale_keepalive: Duration::from_secs(30),
            child: None,
            max_worker_deaths: 3,
            worker_max_tasks_per_child: None,
            worker_max_memory_per_child: None,
            max_memory_per_task: None,
            worker_pool_restarts: false,
            worker_proc_alive_timeout: Duration::from_secs(60),
            worker_prefetch_multiplier: 1,
            reserve_ahead: Duration::from_millis(1),
            lease: Duration::from_secs(30),
            visibility_timeout: Duration::from_secs(3_600),
            task_acks_late: true,
            task_acks_on_failure: true,
            task_acks_on_timeout: true,
            task_reject_on_worker_lost: true,
            task_retry_on_worker_lost: false,
            worker_deduplicate_successful_tasks: false,
            task_time_limit: None,
            task_soft_time_limit: None,
            task_ignore_result: false,
            task_store_errors_even_if_ignored: false,
            task_track_started: false,
            task_inherit_parent_priority: false,
            result_extended: false,
            accept_content: Accept::default(),
            limits: Limits::default(),
            worker_send_task_events: false,
            worker_enable_remote_control: true,
            gossip: true,
            mingle: true,
            task_default_rate_limit: None,
            worker_disable_rate_limits: false,
            worker_state_db: None,
            revokes_max: 50_000,
            revoke_expires: Duration::from_secs(10_800),
            heartbeat_interval: Some(Duration::from_secs(2)),
            connection_patience: None,
            worker_cancel_long_running_tasks_on_connection_loss: false,
            stall: Duration::from_secs(30),
            reserve_bytes: 256 * 1_024 * 1_024,
            task_metrics: false,
            worker_soft_shutdown_timeout: Duration::ZERO,
            worker_enable_soft_shutdown_on_idle: false,
            max_tasks: None,
            conf: Map::new(),
            conf_defaults: Map::new(),
            broker_info: Map::new(),
        }
    }
}

impl WorkerSettings {
    /// The most slots that a worker can have.
    pub const MAX_CONCURRENCY: usize = 65_535;

    /// How many tasks may run at once when the worker starts.
    pub(crate) fn initial_concurrency(&self) -> usize {
        match (self.worker_pool, self.autoscale_bounds()) {
            (Pool::Solo, _) => 1,
            (_, Some(bounds)) => bounds.min,
            (_, None) => self.worker_concurrency,
        }
    }

    /// The bounds of the pool if it is autoscaled; a solo pool has one slot for ever.
    pub(crate) fn autoscale_bounds(&self) -> Option<Bounds> {
        let Autoscale { max, min } = self
            .worker_autoscale
            .filter(|_| self.worker_pool != Pool::Solo)?;
        Some(Bounds {
            max,
            min: min.max(1),
        })
    }

    /// Tasks that run in child processes need to know how those are started.
    pub(crate) fn check_children(&self, registry: &Registry) -> Result<(), WorkerError> {
        let wanted = |name: &&str| {
            let options = registry.options(name);
            options.is_some_and(|options| options.pool == Some(Pool::Prefork))
        };
        let by_task = registry.names().into_iter().find(wanted);
        if self.child.is_some() || (self.worker_pool != Pool::Prefork && by_task.is_none()) {
            return Ok(());
        }
        Err(WorkerError::Setting {
            name: "child",
            value: "not given".to_owned(),
            rule: "tasks that run in child processes need the command that starts one",
        })
    }

    /// As in Celery, a worker that neither gossips nor sends heartbeats nor task events says nothing of itself.
    pub(crate) fn sends_worker_events(&self) -> bool {
        self.gossip || self.heartbeat_interval.is_some() || self.worker_send_task_events
    }

    pub(crate) fn check(&self) -> Result<(), WorkerError> {
        let bad = |name, value: String, rule| Err(WorkerError::Setting { name, value, rule });
        if self.worker_concurrency == 0 || self.worker_concurrency > Self::MAX_CONCURRENCY {
            return bad(
                "worker_concurrency",
                self.worker_concurrency.to_string(),
                "it must be 1 to 65535",
            );
        }
        if let Some(Autoscale { max, min }) = self.worker_autoscale
            && (max == 0 || max > Self::MAX_CONCURRENCY || min > max)
        {
            return bad(
                "worker_autoscale",
                format!("{max},{min}"),
                "it must be MAX,MIN with 1 to 65535 slots and MIN not above MAX",
            );
        }
        if self.worker_prefetch_multiplier == 0 {
            return bad(
                "worker_prefetch_multiplier",
                "0".to_owned(),
                "unlimited prefetch is not offered: it must be 1 or more",
            );
        }
        if self.queues.is_empty() {
            return bad("task_queues", "[]".to_owned(), "a worker needs a queue");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_by_name() {
        let zero = WorkerSettings {
            worker_concurrency: 0,
            ..WorkerSettings::default()
        };
        let text = zero
            .check()
            .expect_err("zero slots run nothing")
            .to_string();
        assert_eq!(
            text,
            "setting worker_concurrency is 0, but it must be 1 to 65535"
        );
        assert!(WorkerSettings::default().check().is_ok());
    }
}

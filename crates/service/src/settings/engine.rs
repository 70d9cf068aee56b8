//! The settings of the worker, as the engine's own.

use std::path::PathBuf;
use std::time::Duration;

use protocol::{Map, Value};
use worker::WorkerSettings;

use super::{Entry, Origin, Settings};
use crate::Error;
use crate::open::retry;
use crate::pool_args::pool_named;

impl Settings {
    /// How a worker of this program runs. Node name, queues and the limits of one run are the command line's.
    ///
    /// # Errors
    /// When `accept_content` names what is no serializer.
    pub fn worker_settings(&self) -> Result<WorkerSettings, Error> {
        let default = WorkerSettings::default();
        let acks_by_default = self.is_on("task_acks_on_failure_or_timeout");
        Ok(WorkerSettings {
            queues: vec![self.default_queue()],
            queue_order: self.queue_order(),
            worker_concurrency: self.concurrency().unwrap_or(default.worker_concurrency),
            worker_pool: self.text("worker_pool").map(pool_named).unwrap_or_default(),
            max_worker_deaths: self
                .count("celeriac_max_worker_deaths")
                .and_then(|most| u32::try_from(most).ok())
                .unwrap_or(default.max_worker_deaths),
            worker_max_tasks_per_child: self.count("worker_max_tasks_per_child"),
            worker_max_memory_per_child: self.count("worker_max_memory_per_child"),
            max_memory_per_task: self.count("celeriac_max_memory_per_task"),
            worker_pool_restarts: self.is_on("worker_pool_restarts"),
            worker_proc_alive_timeout: self
                .seconds("worker_proc_alive_timeout")
                .unwrap_or(default.worker_proc_alive_timeout),
            worker_prefetch_multiplier: self.size("worker_prefetch_multiplier").unwrap_or(1),
            lease: self.lease(),
            visibility_timeout: self
                .visibility_timeout()
                .unwrap_or(default.visibility_timeout),
            task_acks_late: self.is_on("task_acks_late"),
            task_acks_on_failure: self.bool("task_acks_on_failure").unwrap_or(acks_by_default),
            task_acks_on_timeout: self.bool("task_acks_on_timeout").unwrap_or(acks_by_default),
            task_reject_on_worker_lost: self
                .bool("task_reject_on_worker_lost")
                .unwrap_or(default.task_reject_on_worker_lost),
            task_retry_on_worker_lost: self.is_on("task_retry_on_worker_lost"),
            worker_deduplicate_successful_tasks: self.is_on("worker_deduplicate_successful_tasks"),
            task_time_limit: self.get("task_time_limit").as_f64(),
            task_soft_time_limit: self.get("task_soft_time_limit").as_f64(),
            task_ignore_result: self.is_on("task_ignore_result"),
            task_store_errors_even_if_ignored: self.is_on("task_store_errors_even_if_ignored"),
            task_track_started: self.is_on("task_track_started"),
            task_inherit_parent_priority: self.is_on("task_inherit_parent_priority"),
            result_extended: self.is_on("result_extended"),
            accept_content: self.accept("accept_content")?,
            limits: self.limits(),
            worker_send_task_events: self.is_on("worker_send_task_events"),
            worker_enable_remote_control: self.is_on("worker_enable_remote_control"),
            connection_patience: self.connection_patience(),
            worker_cancel_long_running_tasks_on_connection_loss: self
                .is_on("worker_cancel_long_running_tasks_on_connection_loss"),
            stall: self.stall().unwrap_or(Duration::MAX),
            reserve_ahead: self.reserve_ahead(),
            reserve_bytes: self.size("celeriac_reserve_bytes").unwrap_or(usize::MAX),
            task_metrics: self.text("celeriac_http_address").is_some(),
            worker_soft_shutdown_timeout: self
                .seconds("worker_soft_shutdown_timeout")
                .unwrap_or_default(),
            worker_enable_soft_shutdown_on_idle: self.is_on("worker_enable_soft_shutdown_on_idle"),
            task_default_rate_limit: self.text("task_default_rate_limit").map(str::to_owned),
            worker_disable_rate_limits: self.is_on("worker_disable_rate_limits"),
            worker_state_db: self.text("worker_state_db").map(PathBuf::from),
            conf: self.shown(),
            conf_defaults: self.shown_defaults(),
            broker_info: self.broker_info(),
            ..default
        })
    }

    /// Everything that somebody set, as `inspect conf` shows it: secrets hidden.
    pub fn shown(&self) -> Map {
        self.shown_where(|entry| entry.origin != Origin::Default)
    }

    /// Everything that nobody set.
    fn shown_defaults(&self) -> Map {
        self.shown_where(|entry| entry.origin == Origin::Default)
    }

    fn shown_where(&self, wanted: impl Fn(&Entry) -> bool) -> Map {
        let entries = self.entries().iter().filter(|entry| wanted(entry));
        entries
            .map(|entry| (entry.setting.name, entry.shown()))
            .collect()
    }

    /// How much work is held ahead of the slots; nothing where somebody has said how many messages are held.
    fn reserve_ahead(&self) -> Duration {
        let is_said = self.size("worker_prefetch_multiplier").is_some();
        let time = self.seconds("celeriac_reserve_ahead");
        time.filter(|_| !is_said && !self.is_on("worker_disable_prefetch"))
            .unwrap_or_default()
    }

    /// `visibility_timeout` of the transport options.
    fn visibility_timeout(&self) -> Option<Duration> {
        let options = self.map("broker_transport_options");
        let seconds = options.get("visibility_timeout").and_then(Value::as_f64)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// After how long a worker counts as stalled; 0 in the setting is never.
    fn stall(&self) -> Option<Duration> {
        self.seconds("celeriac_stall_seconds")
            .filter(|time| !time.is_zero())
    }

    /// How long a lost connection is waited for: as long as kombu's tries and the pauses between them.
    fn connection_patience(&self) -> Option<Duration> {
        if !self.is_on("broker_connection_retry") {
            return Some(Duration::ZERO);
        }
        let tries = self.int("broker_connection_max_retries")?;
        Some(retry::waited_after(
            u32::try_from(tries).unwrap_or(u32::MAX),
        ))
    }

    fn concurrency(&self) -> Option<usize> {
        self.size("worker_concurrency")
    }

    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.int(name).and_then(|number| u64::try_from(number).ok())
    }

    pub(crate) fn size(&self, name: &str) -> Option<usize> {
        self.int(name)
            .and_then(|number| usize::try_from(number).ok())
    }
}

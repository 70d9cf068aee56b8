//! What a task asks of the worker, with Celery's names. Pure data; the worker's own defaults are in
//! [`crate::WorkerSettings`] and apply where an option here is `None`.

use std::time::Duration;

use protocol::backoff;

use crate::Pool;

/// Options of a task. `..TaskOptions::default()` leaves the rest to the worker's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskOptions {
    /// The queue that callers send to when they and `task_routes` name none.
    pub queue: Option<String>,
    /// The priority that callers send with when they name none.
    pub priority: Option<u8>,
    /// How often and how long after an error the task runs again.
    pub retry: RetryPolicy,
    /// Errors, by exception type, that make the task run again by themselves; `*` stands for all.
    pub autoretry_for: Vec<String>,
    /// Errors that `autoretry_for` does not cover after all.
    pub dont_autoretry_for: Vec<String>,
    /// What to do about particular errors; the first that names the error wins over `autoretry_for`.
    pub error_policies: Vec<ErrorPolicy>,
    /// Seconds after which the run is ended for good.
    pub time_limit: Option<f64>,
    /// Seconds after which the run is asked to end.
    pub soft_time_limit: Option<f64>,
    /// Acknowledge when the run has ended rather than when it starts.
    pub acks_late: Option<bool>,
    /// With late acknowledgement: whether a failure acknowledges (the default) or rejects.
    pub acks_on_failure: Option<bool>,
    /// With late acknowledgement: whether a time limit acknowledges (the default) or puts the message back.
    pub acks_on_timeout: Option<bool>,
    /// With late acknowledgement: whether the message goes back to its queue when the child process that ran it dies (the default),
    /// rather than fail as `WorkerLostError`. A worker that dies as a whole can say nothing: what it held runs again in any case.
    pub reject_on_worker_lost: Option<bool>,
    /// Retry when the child process dies, by the retry policy: a retry that counts. Wins over `reject_on_worker_lost`.
    pub retry_on_worker_lost: Option<bool>,
    /// Store no result.
    pub ignore_result: Option<bool>,
    /// Store errors although results are ignored.
    pub store_errors_even_if_ignored: Option<bool>,
    /// Store STARTED when the run starts.
    pub track_started: Option<bool>,
    /// Send task events for this task (when the worker sends any).
    pub send_events: bool,
    /// How often tasks of this type may start in one worker: Celery's text, such as `10/m`. `None` for `task_default_rate_limit`.
    pub rate_limit: Option<String>,
    /// Seconds after sending within which the run must start, for callers that say nothing.
    pub expires: Option<f64>,
    /// Where the task runs; `None` leaves it to the worker (`-P`, `worker_pool`).
    pub pool: Option<Pool>,
}

impl Default for TaskOptions {
    fn default() -> Self {
        Self {
            queue: None,
            priority: None,
            retry: RetryPolicy::default(),
            autoretry_for: Vec::new(),
            dont_autoretry_for: Vec::new(),
            error_policies: Vec::new(),
            time_limit: None,
            soft_time_limit: None,
            acks_late: None,
            acks_on_failure: None,
            acks_on_timeout: None,
            reject_on_worker_lost: None,
            retry_on_worker_lost: None,
            ignore_result: None,
            store_errors_even_if_ignored: None,
            track_started: None,
            send_events: true,
            rate_limit: None,
            expires: None,
            pool: None,
        }
    }
}

impl TaskOptions {
    /// The policy by which this error makes the task run again; `None` when it is final.
    pub fn retry_policy_for(&self, exc_type: &str) -> Option<&RetryPolicy> {
        if let Some(policy) = self
            .error_policies
            .iter()
            .find(|policy| policy.covers(exc_type))
        {
            return policy.retry.as_ref();
        }
        let automatic =
            covers(&self.autoretry_for, exc_type) && !covers(&self.dont_autoretry_for, exc_type);
        automatic.then_some(&self.retry)
    }
}

/// Celery's retry options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Runs after the first one; `None` for ever.
    pub max_retries: Option<u32>,
    /// Seconds before the next run when there is no backoff.
    pub default_retry_delay: u32,
    /// Seconds before the first retry, doubled with each further one; `None` for the constant delay.
    pub retry_backoff: Option<u32>,
    /// Upper bound of the backoff in seconds.
    pub retry_backoff_max: u32,
    /// Wait a random whole number of seconds between zero and the backoff.
    pub retry_jitter: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: Some(3),
            default_retry_delay: 180,
            retry_backoff: None,
            retry_backoff_max: 600,
            retry_jitter: true,
        }
    }
}

impl RetryPolicy {
    /// Whether a task that was retried this often may be retried again.
    pub fn allows(&self, retries: u32) -> bool {
        self.max_retries.is_none_or(|max| retries < max)
    }

    /// How long to wait before the next run: `min(retry_backoff_max, retry_backoff × 2^retries)`, with jitter a random part of it.
    pub fn delay(&self, retries: u32) -> Duration {
        let jitter = self.retry_jitter.then(fastrand::f64);
        let seconds = match self.retry_backoff {
            None => u64::from(self.default_retry_delay),
            Some(factor) => backoff(
                u64::from(factor),
                retries,
                u64::from(self.retry_backoff_max),
                jitter,
            ),
        };
        Duration::from_secs(seconds)
    }
}

/// What to do about particular errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPolicy {
    /// Exception types; `*` stands for all.
    pub errors: Vec<String>,
    /// How to run again; `None` fails at once.
    pub retry: Option<RetryPolicy>,
}

impl ErrorPolicy {
    fn covers(&self, exc_type: &str) -> bool {
        covers(&self.errors, exc_type)
    }
}

fn covers(names: &[String], exc_type: &str) -> bool {
    names.iter().any(|name| name == "*" || name == exc_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        let policy = RetryPolicy {
            retry_backoff: Some(3),
            retry_backoff_max: 40,
            retry_jitter: false,
            ..RetryPolicy::default()
        };
        let delays: Vec<u64> = (0..6)
            .map(|retries| policy.delay(retries).as_secs())
            .collect();
        assert_eq!(delays, [3, 6, 12, 24, 40, 40]);
        assert_eq!(policy.delay(200).as_secs(), 40);
    }

    #[test]
    fn jitter_stays_within_the_backoff() {
        let policy = RetryPolicy {
            retry_backoff: Some(8),
            ..RetryPolicy::default()
        };
        assert!((0..200).all(|_| policy.delay(0).as_secs() <= 8));
    }

    #[test]
    fn without_backoff_the_delay_is_constant() {
        assert_eq!(RetryPolicy::default().delay(7), Duration::from_secs(180));
    }

    #[test]
    fn the_first_policy_that_names_the_error_decides() {
        let options = TaskOptions {
            autoretry_for: vec!["*".to_owned()],
            dont_autoretry_for: vec!["KeyError".to_owned()],
            error_policies: vec![
                ErrorPolicy {
                    errors: vec!["ValueError".to_owned()],
                    retry: None,
                },
                ErrorPolicy {
                    errors: vec!["OSError".to_owned()],
                    retry: Some(RetryPolicy {
                        max_retries: None,
                        ..RetryPolicy::default()
                    }),
                },
            ],
            ..TaskOptions::default()
        };
        assert_eq!(options.retry_policy_for("ValueError"), None);
        assert_eq!(options.retry_policy_for("KeyError"), None);
        assert_eq!(
            options
                .retry_policy_for("OSError")
                .map(|policy| policy.max_retries),
            Some(None)
        );
        assert_eq!(options.retry_policy_for("TypeError"), Some(&options.retry));
    }
}

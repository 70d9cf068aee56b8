//! Final failures.

use broker::Verdict;
use protocol::{State, Value};
use tracing::{error, warn};

use super::{Conclusion, Ended, chain, next};
use crate::policy::Limit;
use crate::{Failure, Retry, events};

impl Ended<'_> {
    /// Runs again if a policy of the task covers the error; fails otherwise.
    pub(super) fn failure_or_retry(&self, failure: Failure) -> Conclusion {
        match self
            .run
            .task
            .options
            .retry_policy_for(&failure.exception.exc_type)
        {
            Some(policy) => self.retry_by(
                policy,
                Retry {
                    cause: Some(failure),
                    ..Retry::default()
                },
            ),
            None => self.fail(failure),
        }
    }

    /// The hard limit has ended the run; nothing makes it run again but a message that is not acknowledged.
    pub(super) fn time_limit(&self, limit: Limit, found: Option<String>) -> Conclusion {
        warn!(seconds = limit.0, "hard time limit exceeded");
        let whole = limit.0.fract() == 0.0 && limit.0 < 9e15;
        let seconds = if whole {
            Value::Int(limit.0 as i64)
        } else {
            Value::Float(limit.0)
        };
        let mut failure = Failure::new("TimeLimitExceeded", "billiard.exceptions", vec![seconds]);
        failure.traceback = found;
        self.failed(
            failure,
            self.run.policy.acks_on_timeout,
            Verdict::Requeue { front: false },
        )
    }

    /// A final failure. One that must not be acknowledged Celery rejects without requeue; here an operator finds it.
    pub(super) fn fail(&self, failure: Failure) -> Conclusion {
        let parked = Verdict::Park {
            reason: "failed, and acks_on_failure is off".to_owned(),
        };
        self.failed(failure, self.run.policy.acks_on_failure, parked)
    }

    /// Stores the failure, ends the rest of the chain and calls the errbacks. Acknowledges, or else gives the other verdict.
    fn failed(&self, failure: Failure, acknowledges: bool, otherwise: Verdict) -> Conclusion {
        let request = &self.run.held.request;
        let text = failure.exception.repr();
        error!(
            exception = text,
            traceback = failure.traceback,
            "task failed"
        );
        let publish = next::after_failure(self.engine, request).unwrap_or_else(|unsent| {
            error!(
                exception = unsent.exception.repr(),
                "the errbacks cannot be called"
            );
            Vec::new()
        });
        let event = self
            .event(|| events::failed(self.engine, request, &text, failure.traceback.as_deref()));
        let store = self
            .run
            .policy
            .stores_errors
            .then(|| self.failure_meta(State::Failure, &failure));
        let verdict = if acknowledges || self.run.policy.acks_early {
            Verdict::Ack
        } else {
            otherwise
        };
        let mut conclusion = self.conclusion(State::Failure, verdict, store, publish, event);
        if self.engine.stores_results {
            conclusion.completion.also_store = chain::fail_rest(request, &failure);
        }
        conclusion
    }
}

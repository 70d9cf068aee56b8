//! Final failures.

use broker::Verdict;
use protocol::{State, TaskRequest, Value};
use tracing::{error, warn};

use super::{Conclusion, Ended, Sequel, chain, chord, errbacks};
use crate::engine::Engine;
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
        let verdict = if self.run.policy.acks_on_timeout {
            Verdict::Ack
        } else {
            Verdict::Requeue { front: false }
        };
        self.failed(failure, verdict)
    }

    /// A final failure. One that must not be acknowledged Celery rejects without requeue; here an operator finds it.
    pub(super) fn fail(&self, failure: Failure) -> Conclusion {
        let verdict = if self.run.policy.acks_on_failure {
            Verdict::Ack
        } else {
            Verdict::Park {
                reason: "failed, and acks_on_failure is off".to_owned(),
            }
        };
        self.failed(failure, verdict)
    }

    /// Stores the failure, ends the rest of the chain, counts in the chord and calls the errbacks. What was acknowledged early stays so.
    pub(super) fn failed(&self, failure: Failure, verdict: Verdict) -> Conclusion {
        let request = &self.run.held.request;
        let text = failure.exception.repr();
        error!(
            exception = text,
            traceback = failure.traceback,
            "task failed"
        );
        let event = self
            .event(|| events::failed(self.engine, request, &text, failure.traceback.as_deref()));
        let store = self
            .run
            .policy
            .stores_errors
            .then(|| self.failure_meta(State::Failure, &failure));
        let verdict = if self.run.policy.acks_early {
            Verdict::Ack
        } else {
            verdict
        };
        let mut sequel = without_errbacks(self.engine, request, &failure);
        let errbacks = errbacks(self.engine, request, &failure);
        let conclude = |sequel| {
            let (verdict, store, event) = (verdict.clone(), store.clone(), event.clone());
            self.conclusion(State::Failure, verdict, store, sequel, event)
        };
        // As in Celery: the task has failed of what it has failed of, also where its errbacks cannot be sent.
        let fallback = (!errbacks.publish.is_empty()).then(|| conclude(sequel.clone()));
        sequel.append(errbacks);
        let mut conclusion = conclude(sequel);
        conclusion.completion.fallback = fallback.map(|fallback| Box::new(fallback.completion));
        conclusion
    }
}

/// What follows when a task has failed for good: its errbacks, the end of the rest of its chain, and its part in a chord.
pub(crate) fn after_failure(engine: &Engine, request: &TaskRequest, failure: &Failure) -> Sequel {
    let mut sequel = without_errbacks(engine, request, failure);
    sequel.append(errbacks(engine, request, failure));
    sequel
}

fn without_errbacks(engine: &Engine, request: &TaskRequest, failure: &Failure) -> Sequel {
    let exception = || Value::from(&failure.exception);
    let mut sequel = chain::fail_rest(engine, request, failure);
    sequel
        .members
        .extend(chord::member(engine, request, State::Failure, exception));
    sequel
}

fn errbacks(engine: &Engine, request: &TaskRequest, failure: &Failure) -> Sequel {
    let errbacks = request.embed.errbacks.as_deref().unwrap_or_default();
    errbacks::call(engine, errbacks, request, failure)
}

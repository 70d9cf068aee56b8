//! What follows from the end of a run: the verdict, the meta, the messages and the event. Decides everything, sends nothing.

pub(crate) mod chain;
mod failure;
mod lost;
pub(crate) mod meta;
mod next;
mod retry;

use std::sync::atomic::Ordering;
use std::time::Duration;

use broker::{Publish, Settlement, Verdict};
use protocol::{Event, ResultTuple, Signature, State, TaskMeta, Value, saferepr};
use tracing::{info, warn};

use crate::acknowledger::Completion;
use crate::admission::{self, Run};
use crate::context::{Context, soft_time_limit_exceeded};
use crate::engine::Engine;
use crate::policy::Limit;
use crate::{Failure, Outcome, events};

/// How a run ended.
#[derive(Debug)]
pub(crate) enum RunEnd {
    /// It returned.
    Returned(Value),
    /// It ended with an outcome.
    Raised(Outcome),
    /// It panicked with this text.
    Panicked(String),
    /// The soft limit ended it.
    SoftTimeLimit,
    /// The hard limit ended it; `found` tells where it hung, if that could be seen.
    TimeLimit { limit: Limit, found: Option<String> },
    /// The process that ran it died, with this text.
    Lost(String),
    /// No process could be had to run it in, for this reason; it was not begun.
    NoChild(String),
    /// It was revoked while it ran, with this signal's name.
    Terminated(String),
    /// A cold shutdown or a lost connection ended it.
    Cancelled,
}

/// A run that has ended, with all that the conclusion depends on.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) run: &'a Run,
    pub(crate) ctx: &'a Context,
    pub(crate) runtime: Duration,
}

/// A conclusion: what to settle and tell, and the state for hooks.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub(crate) completion: Completion,
    pub(crate) state: State,
}

impl Ended<'_> {
    pub(crate) fn conclude(&self, end: RunEnd) -> Conclusion {
        let mut conclusion = self.conclude_run(end);
        if conclusion.state.is_ready() && self.engine.stores_results {
            conclusion
                .completion
                .also_store
                .extend(chain::fail_chord(&self.run.held.request));
        }
        conclusion
    }

    fn conclude_run(&self, end: RunEnd) -> Conclusion {
        match end {
            RunEnd::Returned(value) => self.success(value),
            RunEnd::Raised(Outcome::Fail(failure)) => self.failure_or_retry(*failure),
            RunEnd::Raised(Outcome::Retry(retry)) => self.retry(*retry),
            RunEnd::Raised(Outcome::Reject { reason, requeue }) => self.reject(&reason, requeue),
            RunEnd::Raised(Outcome::Ignore) => self.quiet(Verdict::Ack, State::Ignored),
            RunEnd::Raised(Outcome::Replace(signature)) => self.replace(*signature),
            RunEnd::Panicked(text) => self.failure_or_retry(panicked(text)),
            RunEnd::SoftTimeLimit => self.failure_or_retry(soft_time_limit_exceeded()),
            RunEnd::TimeLimit { limit, found } => self.time_limit(limit, found),
            RunEnd::Lost(text) => self.lost(text),
            RunEnd::NoChild(why) => self.no_child(&why),
            RunEnd::Terminated(signal) => self.terminated(&signal),
            RunEnd::Cancelled => self.cancelled(),
        }
    }

    fn success(&self, value: Value) -> Conclusion {
        let next = match next::after_success(self.engine, &self.run.held.request, &value) {
            Ok(next) => next,
            Err(failure) => return self.fail(failure),
        };
        info!(runtime = self.runtime.as_secs_f64(), "task succeeded");
        let event = self.event(|| {
            let result = saferepr(&value, 1_024, 3);
            events::succeeded(
                self.engine,
                &self.run.held.request,
                &result,
                self.runtime.as_secs_f64(),
            )
        });
        let store = self
            .run
            .policy
            .stores_result
            .then(|| self.meta(State::Success, value, next.children));
        self.conclusion(State::Success, Verdict::Ack, store, next.publish, event)
    }

    fn reject(&self, reason: &str, requeue: bool) -> Conclusion {
        info!(reason, requeue, "task rejected");
        let event = self.event(|| events::rejected(self.engine, &self.run.held.request, requeue));
        if requeue {
            return self.conclusion(
                State::Rejected,
                Verdict::Requeue { front: false },
                None,
                Vec::new(),
                event,
            );
        }
        let failure = Failure::celery("Reject", vec![reason.into(), false.into()]);
        let store = self
            .run
            .policy
            .stores_errors
            .then(|| self.failure_meta(State::Failure, &failure));
        let verdict = Verdict::Park {
            reason: format!("rejected by the task: {reason}"),
        };
        self.conclusion(State::Rejected, verdict, store, Vec::new(), event)
    }

    fn replace(&self, signature: Signature) -> Conclusion {
        match next::replacement(self.engine, &self.run.held.request, signature) {
            Ok(publish) => self.conclusion(State::Ignored, Verdict::Ack, None, publish, None),
            Err(failure) => self.fail(failure),
        }
    }

    fn terminated(&self, signal: &str) -> Conclusion {
        info!(signal, "task terminated");
        let completion = admission::revoked(self.engine, self.run, "terminated", Some(signal));
        Conclusion {
            completion,
            state: State::Revoked,
        }
    }

    /// A cold shutdown, or a lost connection: what is still held goes back at once. What was acknowledged early is not run again;
    /// it ends as in Celery, in the state RETRY, which says that it did not end by itself.
    fn cancelled(&self) -> Conclusion {
        let policy = &self.run.policy;
        warn!(given_back = !policy.acks_early, "task cancelled");
        let event = self.event(|| events::cancelled(self.engine, &self.run.held.request));
        let says_so = policy.acks_early || self.run.held.disconnected.load(Ordering::Relaxed);
        let store = (says_so && policy.stores_result)
            .then(|| self.meta(State::Retry, cancelled_by_celery(), Vec::new()));
        let verdict = if policy.acks_early {
            Verdict::Ack
        } else {
            Verdict::Requeue { front: true }
        };
        self.conclusion(State::Retry, verdict, store, Vec::new(), event)
    }

    fn quiet(&self, verdict: Verdict, state: State) -> Conclusion {
        self.conclusion(state, verdict, None, Vec::new(), None)
    }

    fn conclusion(
        &self,
        state: State,
        verdict: Verdict,
        store: Option<TaskMeta>,
        publish: Vec<Publish>,
        event: Option<Event>,
    ) -> Conclusion {
        let settlement = Settlement {
            tag: self.run.held.tag.clone(),
            verdict,
            store,
            publish,
            effects: None,
        };
        Conclusion {
            completion: Completion {
                event,
                ..settlement.into()
            },
            state,
        }
    }

    fn event(&self, make: impl FnOnce() -> Event) -> Option<Event> {
        self.engine.events.task(&self.run.task.options, make)
    }

    /// The meta with the tasks that the run has sent, and these.
    fn meta(&self, state: State, result: Value, children: Vec<ResultTuple>) -> TaskMeta {
        let mut meta = meta::meta(self.engine, &self.run.held, state, result);
        let mut all = self.ctx.children().take();
        all.extend(children);
        meta.children = Some(all);
        meta
    }

    fn failure_meta(&self, state: State, failure: &Failure) -> TaskMeta {
        TaskMeta {
            traceback: failure.traceback.clone(),
            ..self.meta(state, Value::from(&failure.exception), Vec::new())
        }
    }
}

/// What Celery stores for a run that the worker has ended.
fn cancelled_by_celery() -> Value {
    let arguments = vec!["cancelled by Celery".into(), Value::Null, Value::Null];
    Value::from(&Failure::celery("Retry", arguments).exception)
}

fn panicked(text: String) -> Failure {
    let mut failure = Failure::builtin(
        "RuntimeError",
        vec![Value::Str(format!("panicked: {text}"))],
    );
    failure.traceback = Some(format!("panicked: {text}"));
    failure
}

//! What follows from the end of a run: the verdict, the meta, the messages and the event. Decides everything, sends nothing.

mod added;
pub(crate) mod chain;
pub(crate) mod chord;
mod duplicate;
mod errbacks;
mod failure;
mod lost;
pub(crate) mod meta;
pub(crate) mod next;
mod replace;
mod retry;
mod sequel;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use broker::{BrokerError, Settlement, Verdict};
use protocol::{Event, ResultTuple, Signature, State, TaskMeta, Value, saferepr};
use tracing::{info, warn};

use crate::acknowledger::{Completion, unwritable};
use crate::admission::{self, Run};
use crate::context::{Context, soft_time_limit_exceeded};
use crate::engine::Engine;
use crate::policy::Limit;
use crate::{Failure, Outcome, events};

pub(crate) use chord::{Member, join};
pub(crate) use failure::after_failure;
pub(crate) use sequel::Sequel;

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
    pub(crate) engine: &'a Arc<Engine>,
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
        let run = Some(self.run.clone());
        if let Some(fallback) = &mut conclusion.completion.fallback {
            fallback.run.clone_from(&run);
        }
        conclusion.completion.run = run;
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
        let request = &self.run.held.request;
        let mut sequel = match self.after_success(&value) {
            Ok(sequel) => sequel,
            Err(failure) => return self.fail(failure),
        };
        info!(runtime = self.runtime.as_secs_f64(), "task succeeded");
        let event = self.event(|| {
            let result = saferepr(&value, 1_024, 3);
            events::succeeded(self.engine, request, &result, self.runtime.as_secs_f64())
        });
        sequel.append(self.ctx.take_sequel());
        let member = chord::member(self.engine, request, State::Success, || value.clone());
        sequel.members.extend(member);
        let children = std::mem::take(&mut sequel.children);
        let store = self
            .run
            .policy
            .stores_result
            .then(|| self.meta(State::Success, value, children));
        self.conclusion(State::Success, Verdict::Ack, store, sequel, event)
    }

    /// What the run has added to its chord, its callbacks, and the next step of its chain.
    fn after_success(&self, value: &Value) -> Result<Sequel, Failure> {
        let mut sequel = self.added()?;
        let next = next::after_success(self.engine, &self.run.held.request, value)?;
        sequel.append(next);
        Ok(sequel)
    }

    fn reject(&self, reason: &str, requeue: bool) -> Conclusion {
        info!(reason, requeue, "task rejected");
        let event = self.event(|| events::rejected(self.engine, &self.run.held.request, requeue));
        if requeue {
            let verdict = Verdict::Requeue { front: false };
            return self.conclusion(State::Rejected, verdict, None, Sequel::default(), event);
        }
        // What Celery tells twice: the failure when it is settled, the rejection now.
        event
            .into_iter()
            .for_each(|event| self.engine.events.send(event));
        let failure = Failure::celery("Reject", vec![reason.into(), false.into()]);
        let verdict = Verdict::Park {
            reason: format!("rejected by the task: {reason}"),
        };
        self.failed(failure, verdict)
    }

    fn replace(&self, signature: Signature) -> Conclusion {
        let request = &self.run.held.request;
        let replaced = self.added().and_then(|mut sequel| {
            sequel.append(replace::replacement(self.engine, request, signature)?);
            Ok(sequel)
        });
        match replaced {
            Ok(sequel) => self.conclusion(State::Ignored, Verdict::Ack, None, sequel, None),
            Err(failure) => self.fail(failure),
        }
    }

    /// What the run has added to its chord.
    fn added(&self) -> Result<Sequel, Failure> {
        added::expand(self.engine, &self.run.held.request, self.ctx.take_added())
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
    /// it ends as in Celery, in the state RETRY, which says that it did not end by itself. What counts on it has failed.
    fn cancelled(&self) -> Conclusion {
        let policy = &self.run.policy;
        let request = &self.run.held.request;
        warn!(given_back = !policy.acks_early, "task cancelled");
        let event = self.event(|| events::cancelled(self.engine, request));
        let failure = cancelled_by_celery();
        let says_so = policy.acks_early || self.run.held.disconnected.load(Ordering::Relaxed);
        let store = (says_so && policy.stores_result).then(|| {
            let exception = Value::from(&failure.exception);
            self.meta(State::Retry, exception, Vec::new())
        });
        let (verdict, sequel) = if policy.acks_early {
            (Verdict::Ack, after_failure(self.engine, request, &failure))
        } else {
            (Verdict::Requeue { front: true }, Sequel::default())
        };
        self.conclusion(State::Retry, verdict, store, sequel, event)
    }

    fn quiet(&self, verdict: Verdict, state: State) -> Conclusion {
        self.conclusion(state, verdict, None, Sequel::default(), None)
    }

    fn conclusion(
        &self,
        state: State,
        verdict: Verdict,
        store: Option<TaskMeta>,
        sequel: Sequel,
        event: Option<Event>,
    ) -> Conclusion {
        let settlement = Settlement {
            store,
            ..Settlement::new(self.run.held.tag.clone(), verdict)
        };
        Conclusion {
            completion: sequel.complete(settlement, event),
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
fn cancelled_by_celery() -> Failure {
    let arguments = vec!["cancelled by Celery".into(), Value::Null, Value::Null];
    Failure::celery("Retry", arguments)
}

/// The failure of a run whose end the broker does not take, because of its size or of what is in it.
pub(crate) fn unwritten(engine: &Arc<Engine>, run: &Run, error: &BrokerError) -> Completion {
    let ctx = Context::new(Arc::clone(engine), Arc::clone(&run.held));
    let ended = Ended {
        engine,
        run,
        ctx: &ctx,
        runtime: Duration::ZERO,
    };
    ended
        .failed(cannot_write(error), unwritable(error))
        .completion
}

/// What is told about an end that the broker does not take.
pub(crate) fn cannot_write(error: &BrokerError) -> Failure {
    let text = sequel::explained(error);
    Failure::new("EncodeError", "kombu.exceptions", vec![text.into()])
}

fn panicked(text: String) -> Failure {
    let mut failure = Failure::builtin(
        "RuntimeError",
        vec![Value::Str(format!("panicked: {text}"))],
    );
    failure.traceback = Some(format!("panicked: {text}"));
    failure
}

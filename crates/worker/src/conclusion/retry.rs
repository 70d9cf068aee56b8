//! Retries: the next attempt is published, RETRY is stored and this attempt is acknowledged in one step.

use broker::{Publish, Route, Verdict};
use jiff::Timestamp;
use protocol::{EncodeError, ResultTuple, State, TaskMessage, TaskMeta, TaskRequest, Value};
use tracing::info;

use super::{Conclusion, Ended, Sequel};
use crate::activity::Held;
use crate::{Failure, Retry, RetryPolicy, events};

impl Ended<'_> {
    /// A retry that the task asked for.
    pub(super) fn retry(&self, retry: Retry) -> Conclusion {
        self.retry_by(&self.run.task.options.retry, retry)
    }

    /// A retry under this policy; without one left, the cause is final.
    pub(super) fn retry_by(&self, policy: &RetryPolicy, retry: Retry) -> Conclusion {
        let request = &self.run.held.request;
        let policy = RetryPolicy {
            max_retries: retry.max_retries.unwrap_or(policy.max_retries),
            ..policy.clone()
        };
        if !policy.allows(request.retries) {
            let failure = retry.cause.unwrap_or_else(|| exceeded(request));
            return self.fail(failure);
        }
        let now = Timestamp::now();
        let delay = retry
            .countdown
            .unwrap_or_else(|| policy.delay(request.retries));
        // Further away than there are dates is never, not at once.
        let eta = retry
            .eta
            .unwrap_or_else(|| now.checked_add(delay).unwrap_or(Timestamp::MAX));
        let eta = Some(eta).filter(|eta| *eta > now);
        match next_attempt(&self.run.held, &retry, eta) {
            Ok(publish) => self.retried(retry.cause, eta, publish),
            Err(error) => self.fail(Failure::from_error(&error)),
        }
    }

    fn retried(
        &self,
        cause: Option<Failure>,
        eta: Option<Timestamp>,
        publish: Publish,
    ) -> Conclusion {
        let request = &self.run.held.request;
        let cause_text = cause
            .as_ref()
            .map(|cause| cause.exception.repr())
            .unwrap_or_else(|| "None".to_owned());
        let traceback = cause.as_ref().and_then(|cause| cause.traceback.clone());
        info!(
            cause = cause_text,
            eta = eta.map(tracing::field::display),
            "task will run again"
        );
        let event =
            self.event(|| events::retried(self.engine, request, &cause_text, traceback.as_deref()));
        let store = self
            .run
            .policy
            .stores_errors
            .then(|| self.retry_meta(cause.as_ref()));
        let sequel = Sequel {
            publish: vec![publish],
            ..Sequel::default()
        };
        self.conclusion(State::Retry, Verdict::Ack, store, sequel, event)
    }

    fn retry_meta(&self, cause: Option<&Failure>) -> TaskMeta {
        let result = cause.map_or(Value::Null, |cause| Value::from(&cause.exception));
        let itself = ResultTuple::task(self.run.held.request.id.clone());
        let traceback = cause.and_then(|cause| cause.traceback.clone());
        TaskMeta {
            traceback,
            ..self.meta(State::Retry, result, vec![itself])
        }
    }
}

fn next_attempt(
    held: &Held,
    retry: &Retry,
    eta: Option<Timestamp>,
) -> Result<Publish, EncodeError> {
    let request = &held.request;
    let mut message = TaskMessage::retry_of(request, eta);
    if let (Some(args), Some(kwargs)) = (&retry.args, &retry.kwargs) {
        message.args.clone_from(args);
        message.kwargs.clone_from(kwargs);
        (message.argsrepr, message.kwargsrepr) = (None, None);
    }
    let route = if request.exchange.is_empty() {
        Route::queue(if request.routing_key.is_empty() {
            &*held.queue
        } else {
            &request.routing_key
        })
    } else {
        let (name, routing_key) = (request.exchange.clone(), request.routing_key.clone());
        Route::Exchange {
            name,
            kind: broker::ExchangeKind::Direct,
            routing_key,
        }
    };
    Ok(Publish {
        message: message.encode(request.codec, request.compression)?,
        route,
    })
}

fn exceeded(request: &TaskRequest) -> Failure {
    let text = format!(
        "Can't retry {}[{}] args:{} kwargs:{}",
        request.task,
        request.id,
        request.args_repr(),
        request.kwargs_repr()
    );
    Failure::celery("MaxRetriesExceededError", vec![Value::Str(text)])
}

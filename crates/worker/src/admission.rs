//! What may run: decides for each delivered message whether it is run now, later, or not at all.

use std::sync::Arc;

use broker::{Delivery, Settlement, Tag, Verdict};
use jiff::Timestamp;
use protocol::{DecodeError, Headers, State, TaskMeta, TaskRequest, Value};
use tracing::{error, info, warn};

use crate::acknowledger::Completion;
use crate::activity::Held;
use crate::conclusion::{chain, meta};
use crate::engine::Engine;
use crate::events;
use crate::policy::Policy;
use crate::registry::RegisteredTask;
use crate::{Failure, Pool};

/// A task that may run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) task: Arc<RegisteredTask>,
    pub(crate) held: Arc<Held>,
    pub(crate) policy: Policy,
}

/// What becomes of a delivered message.
#[derive(Debug)]
pub(crate) enum Admission {
    Run(Run),
    Settle(Box<Completion>),
}

impl From<Completion> for Admission {
    fn from(completion: Completion) -> Self {
        Self::Settle(Box::new(completion))
    }
}

pub(crate) fn admit(engine: &Engine, delivery: Delivery) -> Admission {
    let Delivery {
        tag,
        queue,
        message,
        redelivered,
    } = delivery;
    let message = match message {
        Ok(message) => message,
        Err(error) => return park_poison(engine, tag, &Headers::default(), &error).into(),
    };
    let request = match TaskRequest::from_message(
        &message,
        &engine.settings.accept_content,
        &engine.settings.limits,
    ) {
        Ok(request) => request,
        Err(error) => return park_poison(engine, tag, &message.headers, &error).into(),
    };
    let Some(task) = engine.registry.get(&request.task).cloned() else {
        return park_unknown(engine, tag, &request).into();
    };
    let policy = Policy::of(engine, &task.options, &request);
    let redelivered = redelivered || request.redelivered;
    let mut held = Held::new(tag, queue, redelivered, request);
    if policy.pool == Pool::Prefork {
        held = held.with_message(message);
    }
    admit_task(engine, Run { task, held, policy })
}

fn admit_task(engine: &Engine, run: Run) -> Admission {
    if let Some(discarded) = discard(engine, &run) {
        return discarded.into();
    }
    let request = &run.held.request;
    engine
        .events
        .send_task(&run.task.options, || events::received(engine, request));
    if let Some(until) = request.eta.filter(|eta| *eta > Timestamp::now()) {
        return Completion::from(Settlement::new(
            run.held.tag.clone(),
            Verdict::Defer { until },
        ))
        .into();
    }
    engine.activity.reserve(&run.held, &run.task.name);
    Admission::Run(run)
}

/// Ends a task that was revoked, or whose time to start has passed. Asked on receipt and again right before the run.
pub(crate) fn discard(engine: &Engine, run: &Run) -> Option<Completion> {
    let request = &run.held.request;
    let reason = if engine.revocations.contains(&request.id) {
        "revoked"
    } else if request
        .expires
        .is_some_and(|expires| expires <= Timestamp::now())
    {
        engine.revocations.add(&request.id);
        "expired"
    } else {
        return None;
    };
    info!(
        task_id = request.id,
        task_name = request.task,
        reason,
        "discarding the task"
    );
    Some(revoked(engine, run, reason, None))
}

/// The completion of a task that ends as REVOKED for this reason.
pub(crate) fn revoked(
    engine: &Engine,
    run: &Run,
    reason: &str,
    signal: Option<&str>,
) -> Completion {
    let failure = Failure::celery("TaskRevokedError", vec![reason.into()]);
    let mut settlement = Settlement::new(run.held.tag.clone(), Verdict::Ack);
    let mut also_store = Vec::new();
    if run.policy.stores_result {
        settlement.store = Some(meta::failure(engine, &run.held, State::Revoked, &failure));
    }
    if engine.stores_results {
        also_store = chain::fail_rest(&run.held.request, &failure);
    }
    let event = engine.events.task(&run.task.options, || {
        events::revoked(engine, &run.held.request, reason, signal)
    });
    Completion {
        also_store,
        event,
        ..settlement.into()
    }
}

fn park_poison(engine: &Engine, tag: Tag, headers: &Headers, error: &DecodeError) -> Completion {
    error!(%error, task_id = headers.id, task_name = headers.task, "parking a message that cannot be read");
    let failure = Failure::new(
        "DecodeError",
        "kombu.exceptions",
        vec![Value::Str(error.to_string())],
    );
    let store = headers
        .id
        .as_deref()
        .filter(|id| !id.is_empty())
        .map(|id| refused(id, &failure));
    park(engine, tag, error.to_string(), store)
}

fn park_unknown(engine: &Engine, tag: Tag, request: &TaskRequest) -> Completion {
    let count = engine.activity.count_unknown();
    warn!(
        task_id = request.id,
        task_name = request.task,
        count,
        "parking a message of an unknown task"
    );
    let failure = Failure::celery("NotRegistered", vec![request.task.as_str().into()]);
    let reason = format!(
        "no task named {:?} is registered with this worker",
        request.task
    );
    let mut completion = park(engine, tag, reason, Some(refused(&request.id, &failure)));
    completion.event = engine
        .events
        .any_task(|| events::not_registered(engine, request, &failure));
    completion
}

fn refused(id: &str, failure: &Failure) -> TaskMeta {
    meta::finished(TaskMeta::new(
        id,
        State::Failure,
        Value::from(&failure.exception),
    ))
}

fn park(engine: &Engine, tag: Tag, reason: String, store: Option<TaskMeta>) -> Completion {
    let mut settlement = Settlement::new(tag, Verdict::Park { reason });
    settlement.store = store.filter(|_| engine.stores_results);
    settlement.into()
}

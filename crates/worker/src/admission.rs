//! What may run: decides for each delivered message whether it is run now, later, or not at all.

use std::sync::Arc;
use std::time::Instant;

use broker::{Delivery, Settlement, Tag, Verdict};
use jiff::Timestamp;
use protocol::{DecodeError, Message, State, TaskMeta, TaskRequest, Value};
use tracing::{error, info, warn};

use crate::acknowledger::Completion;
use crate::activity::Held;
use crate::builtin;
use crate::conclusion::{after_failure, chain, chord, meta};
use crate::engine::Engine;
use crate::events;
use crate::limiter::Turn;
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
    /// May run at this time, and waits for it without a place.
    Wait(Instant, Run),
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
        deaths,
        asked,
    } = delivery;
    let mut message = match message.into_message() {
        Ok(message) => message,
        Err(error) => return park_poison(engine, tag, None, &error).into(),
    };
    let size = message.body.len();
    let whole = may_fork(engine, &message, deaths).then(|| Box::new(message.clone()));
    let request = match TaskRequest::take(
        &mut message,
        &engine.settings.accept_content,
        &engine.settings.limits,
    ) {
        Ok(request) => Box::new(request),
        Err(error) => return park_poison(engine, tag, Some(&message), &error).into(),
    };
    let Some(task) = engine.registry.get(&request.task) else {
        return park_unknown(engine, tag, &request).into();
    };
    let task = builtin::in_pool_of_its_task(&engine.registry, task, &request);
    let mut policy = Policy::of(engine, &task, &request);
    if !builtin::is_builtin(&task) {
        policy = policy.after(deaths, &engine.settings);
    }
    let redelivered = redelivered || request.redelivered;
    let held = Held::new(tag, queue, redelivered, request, size).with(|held| {
        held.deaths = deaths;
        held.asked = asked;
        held.pool = policy.pool;
        held.message = whole.filter(|_| policy.pool == Pool::Prefork);
    });
    admit_task(engine, Run { task, held, policy })
}

/// Whether the task may run in another process, which is handed the message as it came. Asked before anything is taken out of it.
fn may_fork(engine: &Engine, message: &Message, deaths: u32) -> bool {
    let name = message.headers.task.as_deref();
    let task = name.and_then(|name| engine.registry.get(name));
    deaths > 0
        || task.is_none_or(|task| {
            Policy::pool_of(engine, task) == Pool::Prefork || builtin::is_builtin(task)
        })
}

fn admit_task(engine: &Engine, run: Run) -> Admission {
    if let Some(discarded) = discard(engine, &run) {
        return discarded.into();
    }
    let now = Timestamp::now();
    if let Some(until) = run.held.request.eta.filter(|eta| *eta > now) {
        return defer(engine, &run, until);
    }
    let turn = engine.limiter.turn(&run.task.name);
    if let Turn::Later(wait) = turn {
        return defer(
            engine,
            &run,
            now.saturating_add(wait).unwrap_or(Timestamp::MAX),
        );
    }
    events::announce(engine, &run, false);
    engine.activity.reserve(&run.held);
    engine.metrics.received(&run.task.name, &run.held.queue);
    match turn {
        Turn::Soon(at) => Admission::Wait(at, run),
        Turn::Now | Turn::Later(_) => Admission::Run(run),
    }
}

/// Back to the server, where it is in nobody's way until then.
fn defer(engine: &Engine, run: &Run, until: Timestamp) -> Admission {
    events::announce(engine, run, true);
    let settlement = Settlement::new(run.held.tag.clone(), Verdict::Defer { until });
    Completion::from(settlement).into()
}

/// Ends a task that was revoked, or whose time to start has passed. Asked on receipt and again right before the run.
pub(crate) fn discard(engine: &Engine, run: &Run) -> Option<Completion> {
    let request = &run.held.request;
    let reason = if engine.revocations.covers(request) {
        "revoked"
    } else if request
        .expires
        .is_some_and(|expires| expires <= Timestamp::now())
    {
        engine.revocations.add([request.id.as_str()]);
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
    engine
        .metrics
        .finished(&run.task.name, &run.held.queue, &State::Revoked, None);
    Some(revoked(engine, run, reason, None))
}

/// The completion of a task that ends as REVOKED for this reason. As in Celery its errbacks are not called; unlike there the rest of
/// its chain ends with it.
pub(crate) fn revoked(
    engine: &Engine,
    run: &Run,
    reason: &str,
    signal: Option<&str>,
) -> Completion {
    let request = &run.held.request;
    let failure = Failure::celery("TaskRevokedError", vec![reason.into()]);
    let mut settlement = Settlement::new(run.held.tag.clone(), Verdict::Ack);
    if run.policy.stores_result {
        settlement.store = Some(meta::failure(engine, &run.held, State::Revoked, &failure));
    }
    let mut sequel = chain::fail_rest(engine, request, &failure);
    let exception = || Value::from(&failure.exception);
    let member = chord::member(engine, request, State::Revoked, exception);
    sequel.members.extend(member);
    let event = engine.events.task(&run.task.options, || {
        events::revoked(engine, request, reason, signal)
    });
    sequel.complete(settlement, event)
}

fn park_poison(
    engine: &Engine,
    tag: Tag,
    message: Option<&Message>,
    error: &DecodeError,
) -> Completion {
    let settings = &engine.settings;
    let remains = message.and_then(|message| {
        TaskRequest::remains(message, &settings.accept_content, &settings.limits)
    });
    let (id, name) = remains
        .as_ref()
        .map(|request| (&request.id, &request.task))
        .unzip();
    error!(%error, task_id = id, task_name = name, "parking a message that cannot be read");
    let text = error.to_string();
    let failure = Failure::new(
        "DecodeError",
        "kombu.exceptions",
        vec![text.as_str().into()],
    );
    match remains {
        Some(request) => park(engine, tag, text, &request, &failure),
        None => Settlement::new(tag, Verdict::Park { reason: text }).into(),
    }
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
    let mut completion = park(engine, tag, reason, request, &failure);
    completion.event = engine
        .events
        .any_task(|| events::not_registered(engine, request, &failure));
    completion
}

/// A message that is put aside has failed: whoever waits for its task, or for what was to follow, is told.
fn park(
    engine: &Engine,
    tag: Tag,
    reason: String,
    request: &TaskRequest,
    failure: &Failure,
) -> Completion {
    let mut settlement = Settlement::new(tag, Verdict::Park { reason });
    if engine.stores_results {
        let exception = Value::from(&failure.exception);
        let meta = TaskMeta::new(request.id.clone(), State::Failure, exception);
        settlement.store = Some(meta::finished(meta));
    }
    after_failure(engine, request, failure).complete(settlement, None)
}

//! Metas of a run, as `celery-wire` describes them.

use jiff::Timestamp;
use protocol::{DateTime, Extended, State, TaskMeta, Value};

use crate::Failure;
use crate::activity::Held;
use crate::engine::Engine;

/// A meta about the held message's task.
pub(crate) fn meta(engine: &Engine, held: &Held, state: State, result: Value) -> TaskMeta {
    let request = &held.request;
    let mut meta = TaskMeta::new(request.id.clone(), state, result);
    meta.group_id.clone_from(&request.group);
    meta.parent_id.clone_from(&request.parent_id);
    if engine.settings.result_extended {
        meta.extended = Some(extended(engine, held));
        if let Some(names) = &request.stamped_headers {
            meta.stamped_headers = Some(names.clone());
            meta.stamps = request.stamps.clone();
        }
    }
    finished(meta)
}

/// A meta of a failure, revocation or retry.
pub(crate) fn failure(engine: &Engine, held: &Held, state: State, failure: &Failure) -> TaskMeta {
    let result = Value::from(&failure.exception);
    TaskMeta {
        traceback: failure.traceback.clone(),
        ..meta(engine, held, state, result)
    }
}

/// Dates the meta if its state is final.
pub(crate) fn finished(mut meta: TaskMeta) -> TaskMeta {
    if meta.status.is_ready() {
        meta.date_done = Some(DateTime::from(microseconds(Timestamp::now())));
    }
    meta
}

/// Python's clock has no nanoseconds.
fn microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

fn extended(engine: &Engine, held: &Held) -> Extended {
    let request = &held.request;
    Extended {
        name: Some(request.task.clone()),
        args: Value::List(request.args.clone()),
        kwargs: Value::Map(request.kwargs.clone()),
        worker: Some(engine.settings.hostname.clone()),
        retries: Some(request.retries),
        queue: Some(request.routing_key.clone()),
    }
}

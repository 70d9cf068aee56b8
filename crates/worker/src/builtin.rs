//! The tasks that every worker runs under Celery's own names. An application may register its own in their place.

mod accumulate;
mod canvas;
mod cleanup;
mod each;
mod unlock;

use std::sync::Arc;

use protocol::{Signature, TaskRequest, Value};

use crate::registry::{RegisteredTask, RunFn};
use crate::{Failure, Outcome, Pool, Registry, RetryPolicy, TaskOptions};

/// Every built-in task.
pub(crate) fn tasks() -> impl Iterator<Item = RegisteredTask> {
    let plain: [(&str, RunFn); 8] = [
        ("celery.accumulate", accumulate::accumulate),
        ("celery.backend_cleanup", cleanup::backend_cleanup),
        ("celery.chain", canvas::chain),
        ("celery.chord", canvas::chord),
        ("celery.chunks", canvas::chunks),
        ("celery.group", canvas::group),
        (each::MAP, each::map),
        (each::STARMAP, each::starmap),
    ];
    let plain = plain
        .into_iter()
        .map(|(name, run)| RegisteredTask::new(name, here(), run));
    plain.chain([RegisteredTask::new(
        "celery.chord_unlock",
        TaskOptions {
            ignore_result: Some(true),
            retry: RetryPolicy {
                max_retries: None,
                ..RetryPolicy::default()
            },
            ..here()
        },
        unlock::chord_unlock,
    )])
}

/// They do little themselves, and belong in no child process.
fn here() -> TaskOptions {
    TaskOptions {
        pool: Some(Pool::Async),
        ..TaskOptions::default()
    }
}

/// Whether it is one of them; they settle more than a child process can hand on.
pub(crate) fn is_builtin(task: &RegisteredTask) -> bool {
    task.name.starts_with("celery.")
}

/// `celery.map` and `celery.starmap` run their task in place, so they run where that task runs.
pub(crate) fn in_pool_of_its_task(
    registry: &Registry,
    task: &Arc<RegisteredTask>,
    request: &TaskRequest,
) -> Arc<RegisteredTask> {
    let is_each = [each::MAP, each::STARMAP].contains(&&*task.name);
    let inner = is_each
        .then(|| request.kwargs.get("task").or(request.args.first()))
        .flatten()
        .and_then(|inner| inner.as_map()?.get("task")?.as_str())
        .and_then(|name| registry.get(name));
    match inner {
        Some(inner) => {
            let mut task = (**task).clone();
            task.options.pool = inner.options.pool;
            Arc::new(task)
        }
        None => Arc::clone(task),
    }
}

fn signature(value: Value) -> Result<Signature, Outcome> {
    Signature::from_value(value).map_err(|error| {
        let text = format!("not a signature: {error}");
        Outcome::Fail(Box::new(Failure::builtin("TypeError", vec![text.into()])))
    })
}

//! Revoking: ids are remembered, what runs is ended if asked for, and what nobody has started is stored as REVOKED at once.

use protocol::{Map, State, TaskMeta, Value, saferepr};
use tracing::{info, warn};

use super::{error, ok, texts};
use crate::Failure;
use crate::conclusion::meta::finished;
use crate::engine::Engine;

/// Ids in one question to the result backend.
const CHUNK: usize = 1_000;

pub(super) async fn revoke(engine: &Engine, arguments: &Map) -> Value {
    let ids = texts(arguments, "task_id");
    if ids.is_empty() {
        return error("TypeError('revoke() needs task_id: an id or a list of ids')");
    }
    ids.iter().for_each(|id| engine.revocations.add(id));
    store_revoked(engine, &ids).await;
    if arguments
        .get("terminate")
        .and_then(Value::as_bool)
        .unwrap_or(false)
    {
        return terminated(engine, &ids, arguments);
    }
    info!(ids = ids.len(), "tasks flagged as revoked");
    let set: Vec<String> = ids
        .iter()
        .map(|id| saferepr(&Value::from(id.as_str()), 1_024, 3))
        .collect();
    ok(format!("tasks {{{}}} flagged as revoked", set.join(", ")))
}

pub(super) async fn terminate(engine: &Engine, arguments: &Map) -> Value {
    let mut arguments = arguments.clone();
    arguments.insert("terminate", true);
    revoke(engine, &arguments).await
}

fn terminated(engine: &Engine, ids: &[String], arguments: &Map) -> Value {
    let signal = arguments
        .get("signal")
        .and_then(Value::as_str)
        .unwrap_or("SIGTERM");
    let mut ended = Vec::new();
    for id in ids {
        for held in engine
            .activity
            .find(id)
            .into_iter()
            .filter(|held| held.is_active())
        {
            // Whoever asked first has named the signal.
            let _ = held.terminated.set(signal.to_owned());
            held.stop.cancel();
            ended.push(id.as_str());
        }
    }
    match ended.as_slice() {
        [] => ok("terminate: tasks unknown"),
        ended => ok(format!("terminate: {}", ended.join(", "))),
    }
}

/// Stores REVOKED for the ids that nobody has finished and that do not run here, so that nobody waits for them.
async fn store_revoked(engine: &Engine, ids: &[String]) {
    let Some(results) = &engine.client.backends().results else {
        return;
    };
    let failure = Failure::celery("TaskRevokedError", vec!["revoked".into()]);
    for chunk in ids.chunks(CHUNK) {
        let stored = match results.fetch(chunk).await {
            Ok(stored) => stored,
            Err(error) => return warn!(%error, "cannot ask for the results of revoked tasks"),
        };
        let open = |(id, meta): &(&String, Option<TaskMeta>)| {
            is_open(meta.as_ref()) && engine.activity.find(id).is_empty()
        };
        let metas: Vec<TaskMeta> = chunk
            .iter()
            .zip(stored)
            .filter(open)
            .map(|(id, _)| revoked_meta(id, &failure))
            .collect();
        if let (false, Err(error)) = (metas.is_empty(), results.store(metas).await) {
            warn!(%error, "cannot store that tasks are revoked");
        }
    }
}

fn is_open(meta: Option<&TaskMeta>) -> bool {
    let open = |meta: &TaskMeta| {
        matches!(
            meta.status,
            State::Pending | State::Received | State::Retry | State::Rejected
        )
    };
    meta.is_none_or(open)
}

/// As Celery writes it outside a task: without children.
fn revoked_meta(id: &str, failure: &Failure) -> TaskMeta {
    let meta = TaskMeta::new(id, State::Revoked, Value::from(&failure.exception));
    finished(TaskMeta {
        children: None,
        ..meta
    })
}

//! Revoking: ids are remembered, what runs is ended if asked for, and what nobody has started is stored as REVOKED at once.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use nix::sys::signal::Signal;
use protocol::{Map, State, TaskMeta, Value, python_set};
use tracing::{info, warn};

use super::signature::type_error;
use super::{Answer, Panel, is_on, ok, texts};
use crate::Failure;
use crate::activity::Held;
use crate::conclusion::meta::finished;
use crate::engine::Engine;

/// Ids in one question to the result backend.
const CHUNK: usize = 1_000;
/// Celery's signal when none is named.
const TERM: &str = "SIGTERM";

pub(super) fn revoked(panel: &Panel, _: &Map) -> Answer {
    Ok(panel.engine.revocations.ids().into())
}

pub(super) async fn revoke(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    let ids: BTreeSet<String> = texts(arguments, "task_id").into_iter().collect();
    if !ids.is_empty() {
        engine.revocations.add(ids.iter().map(String::as_str));
    }
    follow_up(engine, ids.iter().cloned().collect()).await;
    if is_on(arguments, "terminate") {
        return terminate_held(engine, &ids, &signal(arguments)?);
    }
    info!(ids = ids.len(), "tasks flagged as revoked");
    let set = python_set(ids.iter().map(String::as_str));
    Ok(ok(format!("tasks {set} flagged as revoked")))
}

pub(super) async fn terminate(panel: &Panel, arguments: &Map) -> Answer {
    let mut arguments = arguments.clone();
    arguments.insert("terminate", true);
    revoke(panel, &arguments).await
}

fn terminate_held(engine: &Engine, ids: &BTreeSet<String>, signal: &str) -> Answer {
    let held = engine.activity.held();
    let wanted = held.iter().filter(|held| ids.contains(&held.request.id));
    let mut ended = BTreeSet::new();
    for held in wanted {
        end(held, signal);
        ended.insert(held.request.id.as_str());
    }
    if ended.is_empty() {
        return Ok(ok("terminate: tasks unknown"));
    }
    let ended: Vec<&str> = ended.into_iter().collect();
    Ok(ok(format!("terminate: {}", ended.join(", "))))
}

/// Ends the run, if it is one yet: what has not started is discarded in its turn.
pub(super) fn end(held: &Held, signal: &str) {
    info!(task_id = held.request.id, signal, "terminating the task");
    if held.is_active() {
        // Whoever asked first has named the signal.
        let _ = held.terminated.set(signal.to_owned());
        held.stop.raise();
    }
}

/// The signal's full name, from its name or number.
///
/// # Errors
/// Python's, when there is no such signal.
pub(super) fn signal(arguments: &Map) -> Result<String, Failure> {
    let name = match arguments.get("signal") {
        None | Some(Value::Null) => TERM.to_owned(),
        Some(Value::Str(name)) if name.is_empty() => TERM.to_owned(),
        Some(Value::Str(name)) if is_upper(name) => name.clone(),
        Some(Value::Int(number)) => return signal_of(*number),
        Some(_) => return Err(type_error("signal name must be uppercase string.")),
    };
    let full = if name.starts_with("SIG") {
        name
    } else {
        format!("SIG{name}")
    };
    match full.parse::<Signal>() {
        Ok(signal) => Ok(signal.as_str().to_owned()),
        Err(_) => Err(Failure::builtin(
            "AttributeError",
            vec![format!("module 'signal' has no attribute '{full}'").into()],
        )),
    }
}

/// Python's `str.isupper`.
fn is_upper(name: &str) -> bool {
    name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
}

fn signal_of(number: i64) -> Result<String, Failure> {
    let signal = i32::try_from(number).ok().map(Signal::try_from);
    match signal {
        Some(Ok(signal)) => Ok(signal.as_str().to_owned()),
        _ => Err(Failure::builtin(
            "ValueError",
            vec![format!("{number} is not a valid signal").into()],
        )),
    }
}

/// What is left to do behind the command's back, as it may take its time: the broker remembers the ids, and those that nobody has
/// started are stored as REVOKED. Few ids are dealt with before the reply, as in Celery.
async fn follow_up(engine: &Arc<Engine>, ids: Vec<String>) {
    let many = ids.len() > CHUNK;
    let owned = Arc::clone(engine);
    let work = tokio::spawn(async move {
        owned.client.remember_revoked(&ids).await;
        store_revoked(&owned, &ids).await;
    });
    if !many {
        // A panic in there has been logged.
        let _ = work.await;
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
        let held = engine.activity.held();
        let active = held.iter().filter(|held| held.is_active());
        let active: HashSet<&str> = active.map(|held| held.request.id.as_str()).collect();
        let open = |(id, meta): &(&String, Option<TaskMeta>)| {
            is_open(meta.as_ref()) && !active.contains(id.as_str())
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
